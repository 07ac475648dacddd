"""Tests of the doctor's check that the server sees people's addresses, and not the proxy's."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.core.model.audit import AuditEvent
from doorward.ops.doctor.checks.addresses import ENOUGH, addresses
from doorward.settings import Settings, load
from doorward.storage.sql.store import Store

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(96)]


def settings(folder: Path, server: str = "", more: str = "") -> Settings:
    path = folder / "doorward.toml"
    path.write_text(f'issuer = "https://auth.example.com"\n{more}\n[server]\n{server}\n')
    return load(path, {})


async def came(store: Store, *seen: str, each: int = ENOUGH) -> None:
    events = [
        AuditEvent(id=f"aud_{at}_{number:03}_{seen[at]}", at=1, kind="sign_in.failed", address=seen[at])
        for at in range(len(seen))
        for number in range(each)
    ]
    assert await store.commit(*(store.audit.append(event) for event in events))


PROXIES = 'trusted_proxies = ["10.0.0.0/8"]'


@pytest.mark.parametrize(
    ("seen", "server", "warns"),
    [
        # a trusted proxy that sends no header; several of them
        (("10.0.0.5",), PROXIES, "X-Forwarded-For"),
        (("10.0.0.5", "10.0.0.6"), PROXIES, "X-Forwarded-For"),
        # a proxy that is not trusted
        (("127.0.0.1",), "", "trusted_proxies"),
        (("172.17.0.1",), "", "trusted_proxies"),
        (("::ffff:172.17.0.1",), "", "trusted_proxies"),
        # addresses of people
        (("10.0.0.5", "203.0.113.7"), PROXIES, None),
        (("1.2.3.4",), PROXIES, None),
        (("192.168.1.7", "192.168.1.8"), "", None),
    ],
)
async def test_one_address_for_everybody_is_a_warning(
    store: Store, tmp_path: Path, seen: tuple[str, ...], server: str, warns: str | None
) -> None:
    await came(store, *seen)
    check = await addresses(settings(tmp_path, server), store)
    assert check is not None
    assert check.ok
    assert bool(check.fix) is (warns is not None), check
    assert (warns or "") in check.fix


async def test_few_requests_are_no_evidence_and_development_is_not_checked(
    store: Store, tmp_path: Path
) -> None:
    await came(store, "127.0.0.1", each=ENOUGH - 1)
    check = await addresses(settings(tmp_path), store)
    assert check is not None
    assert not check.fix
    path = tmp_path / "dev.toml"
    path.write_text('issuer = "http://127.0.0.1:8000"\ndevelopment = true\n')
    assert await addresses(load(path, {}), store) is None
