"""Key wrapping by the operator's programs, and clear messages for all their faults."""

from __future__ import annotations

import shlex
import stat
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from doorward.adapters.keys.wrap_command import OUTPUT_LIMIT, CommandWrapper
from doorward.core.ports.key_wrapper import KeyProblem, WrongKey
from tests.waiting import until_async

pytestmark = pytest.mark.anyio

KEY = bytes(range(32))
PROGRAM = """
import base64, sys
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
mode, secret = sys.argv[1:]
given = base64.b64decode(sys.stdin.buffer.read(), validate=True)
cipher, nonce = AESGCM(bytes.fromhex(secret)), bytes(12)
try:
    answer = cipher.encrypt(nonce, given, None) if mode == "wrap" else cipher.decrypt(nonce, given, None)
except InvalidTag:
    sys.exit("the key service denies it")
print(base64.b64encode(answer).decode())
"""


def commands(folder: Path, secret: str = "ab" * 32) -> tuple[list[str], list[str]]:
    """A key service of two commands: (wrap, unwrap)."""
    program = folder / "service.py"
    program.write_text(PROGRAM)
    begin = [sys.executable, str(program)]
    return [*begin, "wrap", secret], [*begin, "unwrap", secret]


def shell(text: str, *, timeout: float = 20) -> CommandWrapper:
    """Both commands as one line of shell."""
    command = ["/bin/sh", "-c", text]
    return CommandWrapper(unwrap=command, wrap=command, timeout=timeout)


async def test_a_node_with_only_the_unwrap_command_opens_a_wrapped_key(tmp_path: Path) -> None:
    wrap, unwrap = commands(tmp_path)
    wrapped = await CommandWrapper(unwrap=unwrap, wrap=wrap, timeout=20).wrap("root_1", KEY)
    assert KEY not in wrapped
    opener = CommandWrapper(unwrap=unwrap, wrap=None, timeout=20)
    assert await opener.unwrap("root_1", wrapped) == KEY
    with pytest.raises(WrongKey):
        await opener.unwrap("root_2", wrapped)
    with pytest.raises(KeyProblem, match=r"keys\.wrap_command is missing"):
        await opener.wrap("root_1", KEY)


async def test_the_error_of_a_service_with_another_key_is_shown(tmp_path: Path) -> None:
    wrap, unwrap = commands(tmp_path)
    wrapped = await CommandWrapper(unwrap=unwrap, wrap=wrap, timeout=20).wrap("root_1", KEY)
    _, other = commands(tmp_path, "cd" * 32)
    with pytest.raises(
        KeyProblem, match=r"keys\.unwrap_command: .* ended with status 1: the key service denies it"
    ):
        await CommandWrapper(unwrap=other, wrap=None, timeout=20).unwrap("root_1", wrapped)


async def test_any_damage_is_detected(tmp_path: Path) -> None:
    # a service that authenticates nothing: the envelope does
    def flip(at: int) -> bytes:
        damaged = bytearray(wrapped)
        damaged[at] ^= 1
        return bytes(damaged)

    wrapper = shell("base64 -d | tr '\\000-\\377' '\\200-\\377\\000-\\177' | base64 -w0")
    wrapped = await wrapper.wrap("root_1", KEY)
    assert await wrapper.unwrap("root_1", wrapped) == KEY
    for at in (0, 1, 2, 3, 20, 34, 35, 36, 48, len(wrapped) - 1):
        with pytest.raises(KeyProblem):
            await wrapper.unwrap("root_1", flip(at))
    for cut in (b"", wrapped[:1], wrapped[:3], wrapped[:36], wrapped[:-1]):
        with pytest.raises(WrongKey):
            await wrapper.unwrap("root_1", cut)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exit 3", "ended with status 3: it said nothing"),
        ("echo no such key ring >&2; exit 1", "no such key ring"),
        ("echo '%%%'", "not base64"),
        ("true", "not base64"),
        ("yes | head -c 100000", "more than 16384 bytes"),
        ("kill -9 $$", "status -9"),
    ],
)
async def test_every_fault_of_a_command_gives_a_message(text: str, said: str) -> None:
    with pytest.raises(KeyProblem) as caught:
        await shell(text).wrap("root_1", KEY)
    assert said in str(caught.value)
    assert "keys.wrap_command" in str(caught.value)


async def test_a_command_that_encrypts_nothing_is_refused() -> None:
    with pytest.raises(KeyProblem, match="in clear"):
        await shell("cat").wrap("root_1", KEY)


async def test_a_missing_command_is_reported() -> None:
    nothing = CommandWrapper(unwrap=["/no/such/program"], wrap=["/no/such/program"], timeout=5)
    with pytest.raises(KeyProblem, match="cannot be started"):
        await nothing.wrap("root_1", KEY)
    with pytest.raises(KeyProblem, match="is empty"):
        CommandWrapper(unwrap=[], wrap=None, timeout=5)


async def test_the_input_of_a_command_is_removed_from_its_error_output(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with pytest.raises(KeyProblem) as caught:
        await shell(f"tee {shlex.quote(str(seen))} >&2; exit 1").wrap("root_1", KEY)
    assert len(seen.read_text()) == 44
    assert seen.read_text() not in str(caught.value)
    assert "***" in str(caught.value)


async def test_a_hanging_command_is_killed_with_its_child_processes(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    slow = shell(f"sleep 600 & echo $! $$ > {shlex.quote(str(mark))}; sleep 600", timeout=2)
    with pytest.raises(KeyProblem, match=r"did not answer within 2 s"):
        await slow.wrap("root_1", KEY)
    started = [int(pid) for pid in mark.read_text().split()]
    assert len(started) == 2
    await until_async(lambda: not any(_runs(pid) for pid in started))


def _runs(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


async def test_a_command_with_excessive_output_is_handled() -> None:
    noisy = shell("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero | tr '\\0' A")
    with pytest.raises(KeyProblem, match=f"more than {OUTPUT_LIMIT} bytes"):
        await noisy.wrap("root_1", KEY)


async def test_a_command_does_not_get_the_servers_own_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_KEYS__SECRET_KEY", "of nobody's business")
    monkeypatch.setenv("KEY_SERVICE_TOKEN", "handed on")
    seen = tmp_path / "seen"
    with pytest.raises(KeyProblem):
        await shell(f"env > {shlex.quote(str(seen))}; exit 1").wrap("root_1", KEY)
    assert "KEY_SERVICE_TOKEN=handed on" in seen.read_text()
    assert "DOORWARD_" not in seen.read_text()


def test_the_id_names_the_program_and_not_its_arguments(tmp_path: Path) -> None:
    _, unwrap = commands(tmp_path)
    shown = CommandWrapper(unwrap=unwrap, wrap=None, timeout=5).id
    assert shown.startswith(f"command:{Path(sys.executable).name}:")
    assert "abab" not in shown
    assert shown != CommandWrapper(unwrap=[*unwrap, "x"], wrap=None, timeout=5).id


async def test_a_custom_script_works(tmp_path: Path) -> None:
    secret = tmp_path / "pass"
    secret.write_text("a pass phrase of the operator\n")
    scripts: dict[str, list[str]] = {}
    for name, way in (("wrap", "-e"), ("unwrap", "-d")):
        script = tmp_path / name
        coded = ("base64 -d", "base64 -w0")
        script.write_text(
            f"#!/bin/sh\n{coded[0]} | openssl enc -aes-256-cbc -pbkdf2 {way} -pass file:{secret} | {coded[1]}\n"
        )
        script.chmod(stat.S_IRWXU)
        scripts[name] = [str(script)]
    wrapper = CommandWrapper(unwrap=scripts["unwrap"], wrap=scripts["wrap"], timeout=20)
    assert await wrapper.unwrap("root_1", await wrapper.wrap("root_1", KEY)) == KEY
