"""Tests of wrong usage: the message names what was meant, on the right output, with an exit status for scripts."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.waiting import PATIENCE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sevre",), "Did you mean 'serve'"),
        (("usr", "list"), "Did you mean 'user'"),
        (("user", "lst"), "Did you mean 'list'"),
        (("app", "create", "x", "--reditect", "y"), "Did you mean --redirect?"),
        (("app", "create"), "NAME"),
        (("app", "create", "My", "app"), 'quotes, as in "My app"'),
        (("app", "update", "x"), "There are create, "),
        (("app", "create", "x", "--kind", "servce"), "Did you mean service?"),
        (("app", "create", "x", "--kind", "wbe"), "wbe"),
        (("keys", "rotate", "--alg", "HS256"), "HS256"),
        (("serve", "--port", "99999"), "65535"),
        (("app", "create", "x", "--refresh-ttl", str(10**20)), "3153600000"),
        (("app", "set", "x", "--refresh-ttl", str(10**20)), "3153600000"),
        (("app", "create", "x", "--max-age", str(10**20)), "3153600000"),
    ],
)
def test_a_misspelt_command_is_status_2_with_a_suggestion(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    words = run(*arguments)
    assert (words.status, words.out) == (2, "")
    assert said in words.err
    assert "--help" in words.err
    told = run(*arguments, "--json")
    assert (told.status, told.err) == (2, "")
    assert said in f"{told.document['error']} {told.document['fix']}"


@pytest.mark.parametrize(
    ("group", "least"),
    [
        *(
            (group, 4)
            for group in ("", "user", "app", "api", "role", "keys", "issuer", "api-key", "stream", "audit")
        ),
        *((group, 3) for group in ("provider", "registration-token")),
        ("directory", 2),
        ("risk", 2),
        ("place", 1),
    ],
)
def test_no_line_of_a_list_of_commands_is_truncated(run: Run, group: str, least: int) -> None:
    listed = run(*group.split(), "--help").out.partition("Commands:")[2].strip().splitlines()
    assert len(listed) >= least
    assert [line for line in listed if line.endswith("...")] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "show", "adda@example.com"), "Did you mean ada@example.com?"),
        (("app", "show", "wbe"), "Did you mean web?"),
        (("api", "show", "ordes"), "Did you mean orders?"),
        (("role", "delete", "custmer", "--yes"), "Did you mean customer?"),
        (("user", "grant-role", "ada@example.com", "custmer"), "Did you mean customer?"),
    ],
)
def test_an_unknown_name_is_status_1_with_the_nearest_name(
    stocked: Run, arguments: tuple[str, ...], said: str
) -> None:
    ended = stocked(*arguments)
    assert (ended.status, ended.out) == (1, "")
    assert said in ended.err
    assert "Fix:" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("role", "create", "r", "--allow", "orders/orders:read"), "API:PERMISSION"),
        (("role", "create", "r", "--allow", "orders:"), "names no permission"),
        (("role", "create", "r", "--allow", "orders:orders:read,"), "orders alone for all"),
        (("app", "create", "s", "--kind", "spa", "--redirect", "https://x.example/", "--auth-method", "client_secret_post"), "keep no secret"),
        (("app", "create", "s", "--redirect", "https://x.example/", "--jwks", "none.json"), "No such file"),
    ],
)  # fmt: skip
def test_a_malformed_value_is_status_1_with_the_right_form(
    stocked: Run, arguments: tuple[str, ...], said: str
) -> None:
    ended = stocked(*arguments)
    assert (ended.status, ended.out) == (1, "")
    assert said in ended.err
    assert "Fix:" in ended.err


def test_a_service_without_permissions_gets_a_note_beside_its_secret(run: Run) -> None:
    made = run("app", "create", "Book robot", "--kind", "service")
    assert "client_secret" in made.out
    assert "doorward app set 'Book robot' --api API" in made.err
    assert run("app", "create", "Other robot", "--kind", "service", "--json").err == ""


def test_wrong_settings_are_reported_with_their_place(run: Run, house: Path) -> None:
    (house / "doorward.toml").write_text('issuer = "http://127.0.0.1:9000"\n[tokens]\nacess_ttl = 3\n')
    ended = run("user", "list")
    assert ended.status == 1
    assert "doorward.toml:3: [tokens] has no setting acess_ttl. Did you mean access_ttl?" in ended.err
    assert "acess_ttl" in run("user", "list", "--json").document["error"]


def test_another_settings_file_is_named_by_option_or_environment(
    run: Run, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = house / "other"
    other.mkdir()
    (other / "x.toml").write_text('issuer = "https://other.example"\n')
    assert run("export-openapi", "--config", "other/x.toml").document["servers"] == [
        {"url": "https://other.example"}
    ]
    assert run("migrate", "--config", "other/x.toml", "--json").document["database"] == str(
        other / "doorward.db"
    )
    assert run("user", "list", "--config", "none.toml").status == 1
    monkeypatch.setenv("DOORWARD_CONFIG", "other/x.toml")
    assert run("export-openapi").document["servers"] == [{"url": "https://other.example"}]


def test_without_settings_the_first_step_is_shown(run: Run, house: Path) -> None:
    (house / "doorward.toml").unlink()
    ended = run("user", "list")
    assert ended.status == 1
    assert 'issuer = "https://auth.example.com"' in ended.err
    assert f"no doorward.toml in {house}" in ended.err


def test_a_foreign_secret_key_is_reported_before_any_change(stocked: Run, house: Path) -> None:
    key = house / "doorward.key"
    key.write_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
    ended = stocked("keys", "rotate", "--force")
    assert ended.status == 1
    assert "wrapped under another key" in ended.err
    assert str(key) in ended.err


def test_a_lost_secret_key_is_reported_and_not_replaced(stocked: Run, house: Path) -> None:
    (house / "doorward.key").unlink()
    ended = stocked("user", "list")
    assert ended.status == 1
    assert f"There is no secret key in {house / 'doorward.key'}" in ended.err
    assert not (house / "doorward.key").exists()


def test_an_invalid_database_is_reported(run: Run, house: Path) -> None:
    (house / "doorward.db").write_text(
        "this is no database, only some text that is long enough to be read as one" * 20
    )
    ended = run("user", "list")
    assert ended.status == 1
    assert "doorward.db" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("arguments", [(), ("--help",), ("user",), ("app", "create", "--help"), ("-h",)])
def test_help_goes_to_standard_output(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("Usage: doorward")
    assert all(len(line) <= 110 for line in ended.out.splitlines())


def test_the_version_is_printed(run: Run) -> None:
    ended = run("--version")
    assert (ended.status, ended.out.split()[0]) == (0, "doorward")


def on_a_terminal(arguments: list[str], typed: list[tuple[str, str]], folder: Path) -> tuple[int, str]:
    """Run a command on its own terminal; each answer is typed after its question has appeared."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "doorward", *arguments],
        stdin=follower, stdout=follower, stderr=follower, cwd=folder, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    seen, since, until = "", 0, time.monotonic() + PATIENCE
    waiting = list(typed)
    while time.monotonic() < until:
        ready, _, _ = select.select([leader], [], [], 0.2)
        if ready:
            try:
                chunk = os.read(leader, 65536).decode("utf-8", "replace")
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            seen += chunk
        if waiting and waiting[0][0] in seen[since:]:
            since = len(seen)
            # people take a moment; until then the terminal has been set not to echo
            time.sleep(0.5)
            os.write(leader, waiting.pop(0)[1].encode() + b"\n")
    try:
        assert not waiting, f"never asked: {waiting[0][0]!r} in {seen!r}"
        status = process.wait(PATIENCE)
    finally:
        process.kill()
        os.close(leader)
    return status, seen


def test_on_a_terminal_a_password_is_asked_twice_and_never_shown(house: Path) -> None:
    secret = "walrus canyon velvet twelve"
    status, seen = on_a_terminal(
        ["user", "create", "ada@example.com"], [("Password", secret), ("Repeat", secret)], house
    )
    assert status == 0, seen
    assert "Created ada@example.com" in seen
    assert secret not in seen


def test_on_a_terminal_an_irreversible_command_asks_and_obeys_a_no(stocked: Run, house: Path) -> None:
    status, seen = on_a_terminal(["app", "delete", "web"], [("[y/N]", "n")], house)
    assert status == 1, seen
    assert "Nothing was changed" in seen
    assert stocked("app", "show", "web").status == 0
    status, seen = on_a_terminal(["app", "delete", "web"], [("[y/N]", "y")], house)
    assert status == 0, seen
    assert stocked("app", "show", "web").status == 1
