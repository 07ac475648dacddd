"""The line of `doorward doctor` about the chain of the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doorward.core.model.finding import Finding
from doorward.core.model.section import Sections
from doorward.features.audit.checks import chain_of_audit_log
from doorward.features.feature import Examined
from tests.engines import BOTH
from tests.features.audit.chained import ISSUER, Chained, opened

pytestmark = pytest.mark.anyio
ENGINES = BOTH


@pytest.fixture
async def log(own_database: str | None, tmp_path: Path) -> AsyncIterator[Chained]:
    async with opened(own_database, tmp_path) as made:
        yield made


async def found(log: Chained) -> Finding | None:
    return await chain_of_audit_log(
        Examined(store=log.store, sections=Sections([]), issuer=ISSUER, now=log.clock.time)
    )


async def test_the_check_says_what_is_sealed_signed_late_or_broken(log: Chained) -> None:
    assert await found(log) is None
    await log.write(3)
    waiting = await found(log)
    assert waiting is not None
    assert waiting.ok
    log.clock.time += 301
    late = await found(log)
    assert late is not None
    assert not late.ok
    assert "3 lines are not sealed" in late.said
    assert "Start a server" in late.fix
    await log.sealer.round()
    good = await found(log)
    assert good is not None
    assert (good.ok, good.said, good.fix) == (True, "3 lines sealed, signed up to place 3", "")
    await log.sealed(1)
    log.clock.time += 3601
    unsigned = await found(log)
    assert unsigned is not None
    assert unsigned.ok
    assert "doorward audit head" in unsigned.fix
    await log.write(1, kind="audit.chain_broken")
    broken = await found(log)
    assert broken is not None
    assert not broken.ok
    assert "doorward audit verify" in broken.fix
