"""Tests of the doctor's checks of trusted authorities, log-out notifications and mail."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.ops.doctor.checks.calls import authorities, mailed, told
from doorward.settings import Settings
from doorward.storage.sqlite.database import open_sqlite
from tests.features import made
from tests.storage.samples import NOW, mail, notice

pytestmark = pytest.mark.anyio


async def test_an_app_with_undelivered_notifications_is_named_with_the_reason(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "a.db")
    try:
        assert (await told(store)).fix == ""
        untold = notice(client_id="app_web", problem="it answered 404", tries=1)
        other = notice("two", client_id="app_gone", problem="no answer within 5 s", tries=9)
        await store.commit(
            store.registry.put_client(made.client(name="My Shop")),
            store.messages.insert_logout(untold),
            store.messages.insert_logout(other),
        )
        found = await told(store)
        assert found.ok, "the server works: the fault is the app's"
        assert "My Shop: 1 tried again, 0 given up, the last since it answered 404" in found.said
        assert "app_gone" in found.said
        assert "doorward app show" in found.fix
    finally:
        await store.close()


async def test_undelivered_mail_is_counted(tmp_path: Path) -> None:
    store = await open_sqlite(tmp_path / "a.db")
    try:
        assert (await mailed(store)).fix == ""
        await store.commit(store.messages.insert_mail(mail(tries=9, failed_at=NOW)))
        found = await mailed(store)
        assert "0 tried again, 1 given up" in found.said
        assert "--mail-to" in found.fix
    finally:
        await store.close()


def test_trusted_authorities_are_shown_and_unreadable_ones_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(issuer=made.ISSUER)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert authorities(settings).ok
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    found = authorities(settings)
    assert not found.ok
    assert "none.pem" in found.said
