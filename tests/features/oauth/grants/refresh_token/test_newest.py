"""Rotation from memory: it saves the read, and believes nothing that another process has changed meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.grant import Grant
from doorward.features.oauth.grants.refresh_token import newest
from doorward.features.oauth.grants.refresh_token.newest import NewestTokens
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.rules.refresh_format import PresentedRefreshToken
from doorward.storage.sql.grants import SqlGrants
from doorward.storage.sql.store import Store
from tests.engines import BOTH
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, back_channel

ENGINES = BOTH
pytestmark = [pytest.mark.anyio, pytest.mark.requirement(18)]
Pair = tuple[BackChannel, BackChannel]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The grants that were read for a refresh, over both processes."""
    seen: list[str] = []
    original = SqlGrants.refresh_of_person

    async def counted(self: SqlGrants, grant_id: str) -> Any:
        seen.append(grant_id)
        return await original(self, grant_id)

    monkeypatch.setattr(SqlGrants, "refresh_of_person", counted)
    return seen


@pytest.fixture
async def pair(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest, reads: list[str]
) -> AsyncGenerator[Pair]:
    """Two processes on one database, with Ada."""
    place = tmp_path / "d.db" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(back_channel(place))
        two = await stack.enter_async_context(back_channel(place))
        await one.person(password_hash="$argon2id$1")
        yield one, two


async def good(channel: BackChannel, raw: str) -> TokenResponse:
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse), answer
    return answer


async def rotated(channel: BackChannel, raw: str) -> str:
    answer = await good(channel, raw)
    assert answer.refresh_token not in {None, raw}
    return answer.refresh_token or ""


async def test_only_the_first_of_several_rotations_in_one_process_reads(
    pair: Pair, reads: Sequence[str]
) -> None:
    one, _ = pair
    raw, grant = await one.family()
    for _ in range(4):
        raw = await rotated(one, raw)
    assert reads == [grant.id]
    found = await one.store.grants.refresh(grant.id)
    assert found is not None
    assert found[0].generation == 5


async def test_a_token_spent_in_another_process_is_repeated_and_its_end_is_seen(pair: Pair) -> None:
    one, two = pair
    raw, grant = await one.family()
    raw = await rotated(one, raw)
    elsewhere = await rotated(two, raw)
    # the first process remembers `raw` as the newest
    assert await rotated(one, raw) == elsewhere
    following = await rotated(two, elsewhere)
    two.clock.time += two.policy.refresh_leeway
    one.clock.time = two.clock.time
    answer = await one.refresh(raw)
    assert isinstance(answer, OAuthError), answer
    stored = await two.store.grants.get(grant.id)
    assert stored is not None
    assert stored.end_reason == "refresh_token_replayed"
    assert isinstance(await one.refresh(following), OAuthError)


async def _end(store: Store, grant: Grant) -> None:
    assert await store.commit(store.grants.end_first(grant.id, made.NOW, "signed_out"))


async def _change(store: Store, **changes: Any) -> None:
    account = await store.accounts.get("usr_ada")
    assert account is not None
    assert await store.commit(store.accounts.replace(structs.replace(account, **changes)))


async def _disable(store: Store, _: Grant) -> None:
    """Without the end of the grants, which the command adds."""
    await _change(store, disabled_at=made.NOW)


async def _delete(store: Store, _: Grant) -> None:
    assert await store.commit(store.delete_account("usr_ada"))


async def _forget(store: Store, grant: Grant) -> None:
    assert await store.sweep(grant.expires_at + 10**8) > 0


@pytest.mark.parametrize("happens", [_end, _disable, _delete, _forget])
async def test_what_ends_in_another_process_is_seen(
    pair: Pair, happens: Callable[[Store, Grant], Awaitable[None]]
) -> None:
    one, two = pair
    raw, grant = await one.family()
    raw = await rotated(one, raw)
    await happens(two.store, grant)
    answer = await one.refresh(raw)
    assert isinstance(answer, OAuthError), answer
    assert answer.code == "invalid_grant"
    found = await two.store.grants.refresh(grant.id)
    assert found is None or found[0].generation == 2


async def test_tokens_say_what_another_process_changed_of_the_person(pair: Pair) -> None:
    one, two = pair
    raw, _ = await one.family()
    first = await good(one, raw)
    assert one.claims(first.access_token)["roles"] == ["reader"]
    await _change(two.store, role_names=(), email="ada@example.org")
    second = await good(one, first.refresh_token or "")
    assert one.claims(second.access_token)["roles"] == []
    assert one.claims(second.id_token or "", "JWT")["email"] == "ada@example.org"
    # the person as changed is remembered now
    third = await good(one, second.refresh_token or "")
    assert one.claims(third.access_token)["roles"] == []


async def test_a_refusal_is_made_from_the_database(pair: Pair, reads: Sequence[str]) -> None:
    one, _ = pair
    raw, grant = await one.family()
    raw = await rotated(one, raw)
    answer = await one.refresh(raw, scope="orders:write")
    assert isinstance(answer, OAuthError)
    assert answer.code == "invalid_scope"
    assert list(reads) == [grant.id, grant.id]
    one.clock.time = grant.expires_at
    assert isinstance(await one.refresh(raw), OAuthError)
    assert list(reads) == [grant.id] * 3


def presented(place: int, token: bytes) -> PresentedRefreshToken:
    return PresentedRefreshToken(f"grt_{place}", 1, b"f" * 32, token)


def test_the_memory_is_bounded_and_gives_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "MOST", 3)
    memory = NewestTokens()
    account = made.account(password_hash="$argon2id$1")
    for place in (0, 1, 2, 0, 3):
        memory.put(made.refresh(grant_id=f"grt_{place}", hash=b"%d" % place), made.grant(), account)
    assert memory.take(presented(1, b"1")) is None
    assert memory.take(presented(0, b"another")) is None
    row = memory.take(presented(0, b"0"))
    assert row is not None
    assert row[2] == structs.replace(account, password_hash=None)
    assert memory.take(presented(0, b"0")) is None
    assert memory.take(presented(3, b"3")) is not None
