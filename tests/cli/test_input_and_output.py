"""Tests of input that is not text, and of output that cannot be delivered."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.waiting import PATIENCE

PASSWORD = "walrus canyon velvet twelve"
DOORWARD = [sys.executable, "-m", "doorward"]


def create(run: Run, stdin: bytes) -> tuple[int, str]:
    ended = run("user", "create", "ada@example.com", "--password-stdin", stdin=stdin)
    return ended.status, ended.err


def program(house: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("DOORWARD_", "LC_", "LANG"))
    }
    environ |= options.pop("environ", {})
    return subprocess.run(
        [*DOORWARD, *arguments], cwd=house, env=environ, check=False, timeout=PATIENCE, **options
    )


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        (PASSWORD.encode("utf-16"), "UTF-16"),
        (PASSWORD.encode("utf-16-le"), "UTF-16"),
        ("pässwörter sind wirklich lang".encode("latin-1"), "not UTF-8"),
        (b"walrus canyon\0velvet twelve\n", "zero byte"),
        (b"", "empty"),
        (codecs.BOM_UTF8 + b"\n", "empty"),
    ],
)
def test_a_password_that_is_not_text_is_refused_and_no_account_is_created(
    run: Run, stdin: bytes, said: str
) -> None:
    status, told = create(run, stdin)
    assert status == 1
    assert said in told
    assert "walrus" not in told
    assert run("user", "list", "--json").document == []


@pytest.mark.parametrize("after", [b"", b"\n", b"\r\n", b"\nurl: https://example.com\n"])
@pytest.mark.parametrize("before", [b"", codecs.BOM_UTF8])
def test_one_line_of_text_is_the_password_from_any_program(run: Run, before: bytes, after: bytes) -> None:
    # the check against the person's own address sees the same text
    status, told = create(run, before + b"ada@example.com" + after)
    assert status == 1
    assert "address or name" in told
    assert create(run, before + PASSWORD.encode() + after)[0] == 0


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (PASSWORD.encode("utf-16"), "UTF-16"),
        (b"\xff", "not UTF-8"),
        (b"a\0b", "zero byte"),
        (b"\n", "is empty"),
    ],
)
def test_a_passphrase_file_that_is_not_text_is_reported(run: Run, house: Path, raw: bytes, said: str) -> None:
    (house / "pass").write_bytes(raw)
    ended = run("backup", "out.backup", "--passphrase-file", "pass")
    assert ended.status == 1
    assert said in ended.err
    assert not (house / "out.backup").exists()


def test_a_byte_order_mark_is_not_part_of_a_passphrase(run: Run, house: Path) -> None:
    (house / "with").write_bytes(codecs.BOM_UTF8 + b"a long passphrase of words\r\n")
    (house / "without").write_bytes(b"a long passphrase of words")
    assert run("user", "list").status == 0
    assert run("backup", "out.backup", "--passphrase-file", "with").status == 0
    assert run("backup", "out.backup", "--verify", "--passphrase-file", "without").status == 0


def test_a_byte_order_mark_is_not_part_of_the_secret_key(run: Run, house: Path) -> None:
    assert run("keys", "list").status == 0
    key = house / "doorward.key"
    key.write_bytes(codecs.BOM_UTF8 + key.read_bytes())
    assert run("keys", "list").status == 0
    key.write_bytes(key.read_text("utf-8-sig").encode("utf-16"))
    ended = run("keys", "list")
    assert ended.status == 1
    assert "UTF-16" in ended.err


def test_a_shortened_list_shows_how_many_more_there_are(run: Run) -> None:
    for number in range(4):
        assert run("user", "create", f"p{number}@example.com", "--no-password").status == 0
    whole = run("user", "list", "--json")
    assert (len(whole.document), whole.err) == (4, "")
    cut = run("user", "list", "--limit", "3", "--json")
    assert [person["email"] for person in cut.document] == [f"p{number}@example.com" for number in range(3)]
    last = cut.document[-1]["id"]
    assert f"1 more: --after {last}" in cut.err
    rest = run("user", "list", "--after", last, "--json")
    assert (len(rest.document), rest.err) == (1, "")
    everybody = run("user", "list", "--limit", "1", "--all")
    assert everybody.out.count("@example.com") == 4
    assert everybody.err == ""


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LANG": "C"},
    ],
)
def test_an_encoding_without_our_characters_stops_no_command(house: Path, environ: dict[str, str]) -> None:
    made = program(
        house,
        "user",
        "create",
        "ada@example.com",
        "--no-password",
        "--name",
        "Zoë →",
        capture_output=True,
        environ=environ,
    )
    shown = program(house, "user", "show", "nobody@example.com", capture_output=True, environ=environ)
    listed = program(house, "user", "list", capture_output=True, environ=environ)
    for ended in (made, shown, listed):
        assert b"Traceback" not in ended.stderr
    assert made.returncode in {0, 1}
    assert shown.returncode == 1
    assert shown.stderr.strip()
    assert listed.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "list"),
        pytest.param(("user", "list", "--json"), marks=pytest.mark.soak),
        ("--help",),
        pytest.param(("--version",), marks=pytest.mark.soak),
        pytest.param(("user", "--help"), marks=pytest.mark.soak),
        ("export-openapi",),
    ],
)
def test_a_full_disk_is_reported_and_is_no_success(house: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = program(house, *arguments, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr
    assert b"Exception ignored" not in ended.stderr
    assert b"No space left" in ended.stderr
    with Path("/dev/full").open("wb") as full:
        assert program(house, "user", "show", "x", stdout=full, stderr=full).returncode == 1


def test_a_closed_pipe_is_no_error(house: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        ended = program(house, "user", "list", stdout=write, stderr=subprocess.PIPE)
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_closed_output_never_becomes_the_database(house: Path) -> None:
    ended = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m doorward user create ada@example.com --no-password >&- 2>&-"],
        cwd=house,
        env={name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")},
        check=False,
        timeout=PATIENCE,
    )
    assert ended.returncode == 0
    assert (house / "doorward.db").read_bytes()[:16] == b"SQLite format 3\0"
    assert program(house, "user", "show", "ada@example.com", capture_output=True).returncode == 0


def test_arguments_in_another_encoding_are_refused(house: Path) -> None:
    ended = subprocess.run(
        [os.fsencode(part) for part in DOORWARD]
        + [b"user", b"create", b"ada@example.com", b"--no-password", b"--name", b"Zo\xeb"],
        cwd=house,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ended.returncode == 1
    assert b"LC_ALL" in ended.stderr


@pytest.mark.parametrize("shape", [["--config", "{}"], ["--config={}"], ["--json", "--config", "{}"]])
def test_the_settings_file_may_be_named_before_the_command(
    run: Run, house: Path, tmp_path_factory: pytest.TempPathFactory, shape: list[str]
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "doorward.toml").write_text((house / "doorward.toml").read_text())
    ahead = [part.format(elsewhere / "doorward.toml") for part in shape]
    made = run(*ahead, "user", "create", "ada@example.com", "--no-password")
    assert made.status == 0, made.err
    assert (elsewhere / "doorward.db").exists()
    assert not (house / "doorward.db").exists()
    if "--json" in ahead:
        assert made.document["email"] == "ada@example.com"
    twice = run(*ahead, "user", "list", "--config", "doorward.toml")
    assert twice.status == 2
    assert "given twice" in twice.err + twice.out
