"""Tests of the root secret at start: created at the first start, taken over from an older database, or refused."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SealedKeyMaker, SnapshotSigner
from doorward.adapters.random import SystemRandom
from doorward.app.root import find_root, root_secret
from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
from doorward.core.ports.key_wrapper import KeyProblem
from doorward.features.signing_keys.rotation import KeyRotation
from doorward.settings import Settings, load
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from tests.features.admin.managing import DAY, ISSUER
from tests.manual_clock import ManualClock

pytestmark = pytest.mark.anyio

DIRECT = b"d" * 32


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    opened = await open_sqlite(tmp_path / "doorward.db")
    yield opened
    await opened.close()


@pytest.fixture
async def older(store: Store) -> Store:
    """A database from before there were root secrets: its signing keys are sealed under the secret key itself."""
    await keys(store, KeyedSealer(DIRECT)).maintain()
    return store


def keys(store: Store, sealer: KeyedSealer) -> KeyRotation:
    config = ConfigSnapshotWatcher(store=store, signer=SnapshotSigner(issuer=ISSUER, sealer=sealer))
    policy = settings_of(Path("/nowhere"), "").tokens
    return KeyRotation(
        store=store,
        config=config,
        maker=SealedKeyMaker(sealer),
        random=SystemRandom(),
        clock=ManualClock(),
        tokens=policy,
        publish_ahead=DAY,
        rotate_after=90 * DAY,
    )


def settings_of(folder: Path, lines: str, environ: dict[str, str] | None = None) -> Settings:
    """Settings with these lines in `[keys]`."""
    if not folder.is_dir():
        return load(None, {"DOORWARD_ISSUER": ISSUER})
    path = folder / "doorward.toml"
    path.write_text(f'issuer = "{ISSUER}"\n[keys]\n{lines}\n')
    return load(path, environ or {})


async def test_the_first_start_creates_key_and_root_and_the_next_start_finds_them(
    store: Store, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, "")
    assert await find_root(settings, store) is None
    assert not (tmp_path / "doorward.key").exists()
    root = await root_secret(settings, store)
    assert (tmp_path / "doorward.key").exists()
    assert await find_root(settings, store) == root
    assert (await root_secret(settings, store)).secret == root.secret


async def test_two_databases_under_one_key_have_roots_of_their_own(store: Store, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "")
    other = await open_sqlite(tmp_path / "other.db")
    assert (await root_secret(settings, store)).secret != (await root_secret(settings, other)).secret
    await other.close()


async def test_no_root_is_created_where_creation_is_not_allowed(store: Store, tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="chmod 600"):
        await root_secret(settings_of(tmp_path, "generate = false"), store)
    assert await store.wrapped_keys.root() is None


async def test_an_older_database_takes_its_secret_key_as_root_and_may_then_change_it(
    older: Store, tmp_path: Path
) -> None:
    (tmp_path / "doorward.key").write_bytes(b64encode(DIRECT))
    settings = settings_of(tmp_path, "")
    assert await find_root(settings, older) is None
    root = await root_secret(settings, older)
    assert root.secret == DIRECT
    assert (await root_secret(settings, older)).secret == DIRECT
    assert await keys(older, KeyedSealer(root.secret)).maintain() == 0


@pytest.mark.parametrize("lines", ["", 'unwrap_command = "/bin/false"'])
async def test_an_older_database_without_its_secret_key_gets_no_new_one(
    older: Store, tmp_path: Path, lines: str
) -> None:
    with pytest.raises(KeyProblem, match="There is no secret key"):
        await root_secret(settings_of(tmp_path, lines), older)
    assert not (tmp_path / "doorward.key").exists()
    assert await older.wrapped_keys.root() is None


async def test_an_older_database_with_a_wrong_key_is_not_taken_over(older: Store, tmp_path: Path) -> None:
    (tmp_path / "doorward.key").write_bytes(b64encode(b"w" * 32))
    with pytest.raises(KeyProblem, match="sealed under another secret key"):
        await root_secret(settings_of(tmp_path, ""), older)
    assert await older.wrapped_keys.root() is None


async def test_a_missing_token_client_is_reported_with_the_extra_to_install(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hsm.so").write_text("")
    settings = settings_of(tmp_path, 'pkcs11_module = "hsm.so"\npkcs11_token = "a"\npkcs11_pin = "1"')
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    monkeypatch.delitem(sys.modules, "doorward.adapters.keys.wrap_pkcs11", raising=False)
    with pytest.raises(KeyProblem, match=r"pip install 'doorward\[pkcs11\]'"):
        await root_secret(settings, store)
    assert await store.wrapped_keys.root() is None
