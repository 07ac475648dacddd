"""Attack on two nodes at once: one stolen assertion, presented to both in the same moment, is worth one token (R23, RFC 7523 §3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from doorward.features.oauth.token.rules import TokenResponse
from doorward.storage.sql.open import open_store
from tests.engines import BOTH
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.features.oauth.grants.jwt_bearer.bearing import Bearing, bearing_on, furnished
from tests.manual_clock import ManualClock
from tests.stand_ins.serving import served
from tests.stand_ins.workloads import GitHubActions, GitLabCi, KubernetesApi

ENGINES = BOTH
pytestmark = [pytest.mark.anyio, pytest.mark.requirement(23)]
AT_ONCE = 32


@pytest.fixture
async def nodes(database: str | None, tmp_path: Path) -> AsyncGenerator[tuple[Bearing, Bearing]]:
    """Two processes' worth of services, each with a connection of its own to one database."""
    async with AsyncExitStack() as stack:
        issuers = (GitHubActions(), GitLabCi(), KubernetesApi())
        for one in issuers:
            await stack.enter_async_context(served(one, None))
        clock, url = ManualClock(), database or str(tmp_path / "doorward.db")
        both: list[Bearing] = []
        for _ in range(2):
            store = await open_store(url)
            stack.push_async_callback(store.close)
            both.append(await stack.enter_async_context(bearing_on(store, clock, *issuers)))
            if len(both) == 1:
                await furnished(both[0])
        yield both[0], both[1]


async def test_an_assertion_shown_to_two_nodes_at_once_is_worth_one_token(
    nodes: tuple[Bearing, Bearing],
) -> None:
    one, other = nodes
    await one.trust(one.github, "github-actions")
    await one.allow("github-actions", repository_id="74")
    for assertion in (one.github.token(made.ISSUER), one.github.token(made.ISSUER, jti=None)):
        answers = await asyncio.gather(*(nodes[turn % 2].ask(assertion) for turn in range(AT_ONCE)))
        assert sum(isinstance(answer, TokenResponse) for answer in answers) == 1
    # what one node stopped trusting, the other does not take a moment later
    await one.admin.disable(OPERATOR, "github-actions")
    late = await asyncio.gather(*(other.ask(one.github.token(made.ISSUER)) for _ in range(4)))
    assert not any(isinstance(answer, TokenResponse) for answer in late)
