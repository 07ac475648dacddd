"""The server's secret key: found, created once, and readable only by the server."""

from __future__ import annotations

import stat
from base64 import b64encode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorward.adapters.keys.secret_key import SecretKeyProblem, decode_key, secret_key
from doorward.core.model.secret import Secret

KEY = bytes(range(200, 232))


def test_the_first_start_makes_a_file_readable_only_by_the_server(tmp_path: Path) -> None:
    path = tmp_path / "data" / "doorward.key"
    key = secret_key(None, str(path), generate=True)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert secret_key(None, str(path), generate=False) == key
    assert list(path.parent.iterdir()) == [path]


def test_concurrent_starts_get_one_key(tmp_path: Path) -> None:
    path = str(tmp_path / "doorward.key")
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: secret_key(None, path, generate=True), range(64)))
    assert len(keys) == 1


@pytest.mark.parametrize("text", [b64encode(KEY), urlsafe_b64encode(KEY), b64encode(KEY).rstrip(b"=")])
def test_every_base64_variant_is_accepted(text: bytes) -> None:
    assert decode_key(f" {text.decode()}\n") == KEY


@pytest.mark.parametrize(
    "text", ["", "short", "!" * 44, b64encode(b"x" * 31).decode(), b64encode(b"x" * 33).decode()]
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(SecretKeyProblem, match="openssl rand") as caught:
        decode_key(text)
    assert not text or text not in str(caught.value)


def test_the_setting_overrides_the_file(tmp_path: Path) -> None:
    given = Secret(b64encode(KEY).decode())
    assert secret_key(given, str(tmp_path / "none"), generate=True) == KEY
    assert not list(tmp_path.iterdir())


def test_a_missing_key_that_must_not_be_made_gives_advice(tmp_path: Path) -> None:
    with pytest.raises(SecretKeyProblem, match="chmod 600"):
        secret_key(None, str(tmp_path / "doorward.key"), generate=False)


def test_an_unwritable_path_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SecretKeyProblem):
        secret_key(None, str(tmp_path / "file" / "doorward.key"), generate=True)
