"""Sending and matching of codes by mail or text message: limits, single use, and what is stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.sent_code import DeliveryState, SentCode
from doorward.features.authn.flow.build import sent_codes
from doorward.features.authn.flow.rules import sent_code as rule
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.sent_code import CodeMessage, CodeSent, SentCodes, Undeliverable
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.storage.sql.store import Write
from tests.people import CALLER, House, caller_of

pytestmark = pytest.mark.anyio
REQUEST = "sin_1"


@dataclass
class Paper:
    """A delivery that writes messages into a list."""

    kind: str = "toy"
    refuses: Wait | Undeliverable | None = None
    written: list[CodeMessage] = field(default_factory=list)

    def target(self, account: Account, factor: EnrolledFactor) -> str:
        del factor
        return account.known_as

    async def take(
        self, target: str, account: Account, *, enrolling: bool, caller: Caller, now: int
    ) -> Wait | Undeliverable | None:
        del target, account, enrolling, caller, now
        return self.refuses

    def shown(self, target: str, account: Account) -> str:
        del account
        return target

    async def state(self, code: SentCode) -> DeliveryState:
        del code
        return "under_way"

    def write(self, message: CodeMessage) -> tuple[str, Write]:
        self.written.append(message)
        return f"msg_{len(self.written)}", Write(())


@dataclass
class Post:
    """A person with a factor, and the service under test."""

    house: House
    account: Account
    factor: EnrolledFactor
    codes: SentCodes
    paper: Paper

    async def send(
        self, request: str = REQUEST, *, caller: Caller = CALLER, enrolling: bool = False
    ) -> CodeSent | NotYet | Wait | Undeliverable:
        return await self.codes.send(
            self.paper,
            request=request,
            account=self.account,
            factor=None if enrolling else self.factor,
            target="ada@example.com",
            locale="en",
            app="Shop",
            caller=caller,
            now=self.house.now,
        )

    async def match(self, typed: str, request: str = REQUEST, kind: str = "toy") -> SentCode | None:
        return await self.codes.match(kind, request, typed, self.house.now)

    @property
    def newest(self) -> str:
        return self.paper.written[-1].code

    @property
    def wrong(self) -> str:
        return f"{(int(self.newest) + 500_000) % 1_000_000:06d}"


@pytest.fixture
async def post(house: House) -> Post:
    """Ada, who has a factor."""
    account = await house.person()
    factor = EnrolledFactor("fac_1", account.id, "toy", house.now)
    assert await house.store.commit(house.store.accounts.add_factor(factor))
    return Post(house, account, factor, house.services.get(sent_codes), Paper())


async def test_a_code_is_sent_and_matched(post: Post) -> None:
    sent = await post.send()
    assert isinstance(sent, CodeSent)
    (message,) = post.paper.written
    assert (message.code_id, message.target, message.app) == (sent.code.id, "ada@example.com", "Shop")
    assert message.code.isdecimal()
    assert len(message.code) == 6
    assert (sent.again_at, message.expires_at) == (post.house.now + 60, post.house.now + 600)
    assert await post.match(post.wrong) is None
    found = await post.match(post.newest)
    assert found is not None
    assert (found.id, found.factor_id, found.message_id) == (sent.code.id, "fac_1", "msg_1")
    assert "second_factor.code_sent" in await post.house.kinds()


@pytest.mark.requirement(83)
async def test_only_a_keyed_hash_is_stored(post: Post) -> None:
    await post.send()
    (row,) = await post.house.store.sent_codes.of_account(post.account.id)
    assert post.newest.encode() not in row.code_hash
    assert row.code_hash == post.house.sealer.tag("sent-code", f"{row.id}:{post.newest}").encode()
    assert row.target is None


@pytest.mark.requirement(83)
async def test_a_code_belongs_to_its_request_and_kind(post: Post) -> None:
    await post.send()
    assert await post.match(post.newest, "sin_2") is None
    assert await post.match(post.newest, kind="sms") is None
    assert await post.match(post.newest) is not None


@pytest.mark.requirement(83)
async def test_a_code_expires_after_ten_minutes(post: Post) -> None:
    await post.send()
    post.house.later(599)
    assert await post.match(post.newest) is not None
    assert await post.codes.live("toy", REQUEST, post.house.now) is not None
    post.house.later(1)
    assert await post.match(post.newest) is None
    assert await post.codes.live("toy", REQUEST, post.house.now) is None


@pytest.mark.requirement(82)
async def test_a_code_is_used_once_even_when_sent_at_once(post: Post) -> None:
    await post.send()
    store = post.house.store

    async def once() -> bool:
        found = await post.match(post.newest)
        return found is not None and await store.commit(store.sent_codes.use(found.id, post.house.now))

    assert (await asyncio.gather(*(once() for _ in range(4)))).count(True) == 1
    assert not await once()


@pytest.mark.requirement(82)
async def test_five_guesses_are_compared_even_when_sent_at_once(post: Post) -> None:
    await post.send()
    await asyncio.gather(*(post.match(post.wrong) for _ in range(12)))
    assert await post.match(post.newest) is None
    (row,) = await post.house.store.sent_codes.of_account(post.account.id)
    assert row.tries == rule.TRIES


@pytest.mark.requirement(83)
async def test_a_new_code_replaces_the_one_before(post: Post) -> None:
    first = await post.send()
    code = post.newest
    assert isinstance(first, CodeSent)
    assert await post.send() == NotYet(post.house.now + 60, "pause")
    post.house.later(60)
    second = await post.send()
    assert isinstance(second, CodeSent)
    assert second.code.sends == 2
    assert post.newest == code or await post.match(code) is None
    assert await post.match(post.newest) is not None
    problems = [await post.codes.problem(one.code.id, post.house.now) for one in (first, second)]
    assert problems == ["its code was used or replaced", None]
    assert await post.codes.problem(second.code.id, post.house.now + 600) == "its code has expired"


@pytest.mark.requirement(83)
async def test_of_many_requests_at_once_one_sends(post: Post) -> None:
    outcomes = await asyncio.gather(*(post.send() for _ in range(8)))
    assert [type(one) for one in outcomes].count(CodeSent) == 1
    assert len(await post.house.store.sent_codes.of_account(post.account.id)) == 1


@pytest.mark.requirement(83)
async def test_a_request_gets_five_messages_in_ten_minutes(post: Post) -> None:
    for _ in range(rule.SENDS):
        assert isinstance(await post.send(), CodeSent)
        post.house.later(60)
    refused = await post.send()
    assert isinstance(refused, NotYet)
    assert refused.why == "request"


@pytest.mark.requirement(83)
async def test_an_account_has_three_live_codes(post: Post) -> None:
    for number in range(rule.LIVE):
        assert isinstance(await post.send(f"sin_{number}"), CodeSent)
    for number in range(3):
        assert await post.send(f"sin_more{number}") == NotYet(post.house.now + 600, "account")
    assert (await post.house.kinds()).count("second_factor.code_refused") == 1


@pytest.mark.requirement(83)
async def test_the_owner_gets_a_code_on_a_known_device_whatever_others_asked_for(post: Post) -> None:
    device = b"d" * 32
    await post.house.store.commit(
        post.house.store.sessions.remember_device(device, post.account.id, post.house.now)
    )
    for number in range(rule.LIVE):
        assert isinstance(await post.send(f"sin_{number}"), CodeSent)
    assert isinstance(await post.send("sin_own", caller=caller_of(devices=(device,))), CodeSent)
    rows = await post.house.store.sent_codes.of_account(post.account.id)
    assert len(rule.live(rows, post.house.now)) == rule.LIVE
    assert await post.match(post.newest, "sin_own") is not None


@pytest.mark.requirement(83)
async def test_nothing_is_sent_beyond_the_limits_of_the_delivery(post: Post) -> None:
    for refused in (Wait(post.house.now + 900), Undeliverable()):
        post.paper.refuses = refused
        assert await post.send() == refused
    assert post.paper.written == []
    assert list(await post.house.store.sent_codes.of_account(post.account.id)) == []


async def test_an_enrolment_keeps_its_target_sealed(post: Post) -> None:
    sent = await post.send("enrol:ses_1", enrolling=True)
    assert isinstance(sent, CodeSent)
    assert post.paper.written[0].enrolling
    found = await post.match(post.newest, "enrol:ses_1")
    assert found is not None
    assert found.target is not None
    assert b"ada@" not in found.target
    assert (post.codes.proven_target(found), found.factor_id) == ("ada@example.com", None)
    with pytest.raises(ValueError, match="sealed"):
        post.codes.proven_target(replace(found, id="cod_other"))
    with pytest.raises(ValueError, match="exists"):
        post.codes.proven_target(replace(found, target=None))
