"""Events of other issuers: they end the sessions that rest on that issuer, and no forged one does."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec import structs
from msgspec.json import encode

from doorward.adapters.http_client import CallFailed, GuardedAnswer
from doorward.core.errors import KeysUnavailable
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.provider import ExternalIdentity, UpstreamSession
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof
from doorward.features.security_events.build import event_receiver
from doorward.features.security_events.receiving import EventReceiver
from doorward.features.security_events.source_polling import SourcePolling
from doorward.features.security_events.source_routes import routes
from doorward.features.security_events.source_settings import EventSourcePolicy
from doorward_verify import jwk, jws
from doorward_verify.encoding import b64url_encode
from doorward_verify.keyset import key_set
from tests.engines import POSTGRES_IN_SOAK, Engine
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, back_channel
from tests.web.asgi import Answer, Asgi

ENGINES = POSTGRES_IN_SOAK
pytestmark = pytest.mark.anyio

ISSUER = "https://id.partner.example"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RSA = jwk.signing_key(rsa.generate_private_key(public_exponent=65537, key_size=2048), alg="RS256", kid="k-1")
OTHER = jwk.signing_key(
    rsa.generate_private_key(public_exponent=65537, key_size=2048), alg="RS256", kid="k-1"
)


class Keys:
    """The keys of the issuer, without a network."""

    def __init__(self) -> None:
        self.down = False

    async def of(self, name: str, issuer: str, jwks_uri: str, kid: str | None) -> Any:
        """The key set."""
        del name, jwks_uri, kid
        if self.down:
            raise KeysUnavailable("it is down")
        return key_set(issuer, [jwk.parse_public(RSA.public_jwk())])


@dataclass
class Source:
    """A server that hears of one issuer by which Ada signed in in two sessions; a third rests on her password."""

    channel: BackChannel
    receiver: EventReceiver
    keys: Keys
    asgi: Asgi
    ada: Account
    number: list[int] = field(default_factory=lambda: [0])

    def token(
        self, kind: str = "session-revoked", *, key: Any = RSA, typ: str = "secevent+jwt", **changes: Any
    ) -> str:
        """An event of the issuer."""
        self.number[0] += 1
        now = self.channel.clock.time
        values: dict[str, Any] = {
            "iss": ISSUER,
            "aud": made.ISSUER,
            "jti": f"e-{self.number[0]}",
            "iat": now,
            "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "ada-there"},
            "events": {f"{CAEP}{kind}": {}},
        }
        said = {name: value for name, value in (values | changes).items() if value is not None}
        return jws.sign(encode(said), key, typ=typ)

    async def push(self, token: str, header: str = "Bearer partner", name: str = "partner") -> Answer:
        """A push of the issuer."""
        headers = {"authorization": header, "content-type": "application/secevent+jwt"}
        return await self.asgi("POST", f"/events/{name}", body=token.encode(), headers=headers)

    async def live(self) -> set[str]:
        """Ada's sessions."""
        now = self.channel.clock.time
        return {one.id for one in await self.channel.store.sessions.live_of(self.ada.id, now)}


EVERYTHING = {"ses_first", "ses_second", "ses_own"}


@pytest.fixture
async def source(engine: Engine, request: pytest.FixtureRequest) -> AsyncGenerator[Source]:
    place = ":memory:" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with back_channel(place) as channel:
        store, now = channel.store, channel.clock.time
        ada = await channel.person()
        identity = ExternalIdentity(
            factor_id="fac_1", account_id=ada.id, issuer=ISSUER, subject="ada-there", email=""
        )
        assert await store.commit(
            store.accounts.add_factor(EnrolledFactor("fac_1", ada.id, "provider", now)),
            store.external_identities.insert(identity),
        )
        for name, sid in (("ses_first", "s-1"), ("ses_second", "s-2")):
            await channel.session(ada, name)
            rests = UpstreamSession(holder=name, factor_id="fac_1", sid=sid, expires_at=now + 86_400)
            assert await store.commit(store.external_identities.note_session(rests))
        await channel.session(ada, "ses_own")
        keys = Keys()
        partner = EventSourcePolicy(
            issuer=ISSUER,
            jwks_uri=f"{ISSUER}/jwks",
            audience=(made.ISSUER,),
            authorization=Secret("Bearer partner"),
        )
        apple = EventSourcePolicy(
            kind="apple", issuer=ISSUER, jwks_uri=f"{ISSUER}/jwks", audience=(made.ISSUER,)
        )
        receiver = structs.replace(
            event_receiver(channel.services), sources={"partner": partner, "apple": apple}, keys=keys.of
        )
        yield Source(channel, receiver, keys, Asgi(routes(receiver)), ada)


@pytest.mark.requirement(59, 72)
@pytest.mark.parametrize("kind", ["session-revoked", "account-disabled", "account-purged"])
async def test_an_event_ends_the_sessions_that_rest_on_its_issuer(source: Source, kind: str) -> None:
    assert (await source.push(source.token(kind))).status == 202
    assert await source.live() == {"ses_own"}
    lines = await source.channel.store.audit.page(kind="session.ended")
    assert {(one.session_id, one.detail["provider"], one.detail["event"]) for one in lines} == {
        ("ses_first", "partner", kind),
        ("ses_second", "partner", kind),
    }


async def test_an_event_of_one_session_ends_that_one(source: Source) -> None:
    user = {"format": "iss_sub", "iss": ISSUER, "sub": "ada-there"}
    subject = {"format": "complex", "user": user, "session": {"format": "opaque", "id": "s-1"}}
    assert (await source.push(source.token(sub_id=subject))).status == 202
    assert await source.live() == {"ses_second", "ses_own"}


async def test_a_late_or_repeated_event_ends_no_newer_sign_in(source: Source) -> None:
    """Out of order: what counts is when it happened."""
    before = made.NOW - 200
    late = source.token(events={f"{CAEP}session-revoked": {"event_timestamp": before}})
    for _ in range(2):
        assert (await source.push(late)).status == 202
    assert await source.live() == EVERYTHING


@pytest.mark.parametrize("kind", ["credential-change", "assurance-level-change", "lunch-time"])
async def test_what_means_nothing_here_is_accepted(source: Source, kind: str) -> None:
    assert (await source.push(source.token(kind))).status == 202
    assert await source.live() == EVERYTHING


async def test_a_verification_event_is_answered(source: Source) -> None:
    uri = "https://schemas.openid.net/secevent/ssf/event-type/verification"
    token = source.token(sub_id={"format": "opaque", "id": "ssm_1"}, events={uri: {"state": "s"}})
    assert (await source.push(token)).status == 202


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "invalid_issuer"),
        ({"aud": "https://other.example"}, "invalid_audience"),
        ({"typ": "JWT"}, "invalid_request"),
        ({"typ": "logout+jwt"}, "invalid_request"),
        ({"typ": "at+jwt"}, "invalid_request"),
        ({"key": OTHER}, "invalid_key"),
        ({"iat": 5}, "invalid_request"),
    ],
)
async def test_a_forged_event_ends_nothing(source: Source, changes: dict[str, Any], code: str) -> None:
    answer = await source.push(source.token(**changes))
    assert (answer.status, answer.json["err"]) == (400, code)
    assert await source.live() == EVERYTHING


async def test_unsigned_tokens_and_other_algorithms_are_refused(source: Source) -> None:
    head, body, _ = source.token().split(".")
    none = b64url_encode(b'{"alg":"none","typ":"secevent+jwt"}')
    short = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), alg="ES256", kid="k-1")
    for token in (f"{none}.{body}.", f"{head}.{body}.AAAA", "junk", "", "a.b.c", source.token(key=short)):
        assert (await source.push(token)).status == 400
    assert await source.live() == EVERYTHING


async def test_a_push_needs_its_own_authorization(source: Source) -> None:
    for header in ("", "Bearer other", "bearer partner", "Bearer partner "):
        assert (await source.push(source.token(), header)).status in (202, 401)
    refused = await source.push(source.token(), "Bearer other")
    assert (refused.status, refused.json["err"]) == (401, "authentication_failed")


async def test_while_the_keys_cannot_be_had_the_event_comes_again(source: Source) -> None:
    source.keys.down = True
    token = source.token()
    assert (await source.push(token)).status == 503
    assert await source.live() == EVERYTHING
    source.keys.down = False
    assert (await source.push(token)).status == 202
    assert await source.live() == {"ses_own"}


async def test_an_issuer_speaks_of_addresses_only_where_the_operator_says_so(source: Source) -> None:
    subject = {"format": "email", "email": "Ada@example.com"}
    assert (await source.push(source.token(sub_id=subject))).status == 202
    assert await source.live() == EVERYTHING
    receiver = source.receiver
    allowed = structs.replace(receiver.sources["partner"], email_domains=("example.com",))
    source.asgi = Asgi(routes(structs.replace(receiver, sources={"partner": allowed})))
    assert (await source.push(source.token(sub_id=subject))).status == 202
    assert await source.live() == set()


async def test_apples_notifications(source: Source) -> None:
    event = {"type": "consent-revoked", "sub": "ada-there", "event_time": source.channel.clock.time * 1000}
    token = source.token(typ="JWT", sub_id=None, events=json.dumps(event))
    body = encode({"payload": token})
    answer = await source.asgi("POST", "/events/apple", body=body)
    assert answer.status == 200
    assert await source.live() == {"ses_own"}
    for bad in (b"{}", b"[]", b"no json", encode({"payload": 5})):
        assert (await source.asgi("POST", "/events/apple", body=bad)).status == 400


class Transmitting:
    """A transmitter that is polled (RFC 8936)."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[str] = []

    async def post_for_document(self, url: str, **sent: Any) -> GuardedAnswer:
        """One poll."""
        self.asked.append(json.loads(sent["content"]))
        self.headers.append(sent["headers"].get("authorization", ""))
        if not self.answers:
            raise CallFailed("it is down")
        return GuardedAnswer(status=200, body=json.dumps(self.answers.pop(0)).encode())


@pytest.mark.requirement(59)
async def test_events_are_fetched_obeyed_and_acknowledged_by_one_process(source: Source) -> None:
    good, bad = source.token(), source.token(iss="https://evil.example")
    there = Transmitting(
        {"sets": {"e-1": good}, "moreAvailable": True},
        {"sets": {"e-2": bad}, "moreAvailable": False},
        {"sets": {}, "moreAvailable": False},
    )
    policy = structs.replace(
        source.receiver.sources["partner"],
        poll_url=f"{ISSUER}/poll",
        poll_authorization=Secret("Bearer mine"),
    )
    receiver = structs.replace(source.receiver, sources={"partner": policy})
    polling = SourcePolling(
        receiver=receiver,
        sources=receiver.sources,
        store=source.channel.store,
        clock=source.channel.clock,
        http=there,
    )
    await polling.round("partner")
    assert await source.live() == {"ses_own"}
    assert [one.get("ack") for one in there.asked] == [None, ["e-1"], []]
    assert there.asked[2]["setErrs"]["e-2"]["err"] == "invalid_issuer"
    assert there.asked[2]["maxEvents"] == 0
    assert set(there.headers) == {"Bearer mine"}
    # another process within the interval
    await structs.replace(polling).round("partner")
    assert len(there.asked) == 3
    source.channel.clock.time += 10
    await polling.round("partner")
    assert len(there.asked) == 4, "a transmitter that is down is asked again later"


@pytest.mark.requirement(59)
async def test_a_source_without_keys_is_asked_again_and_nothing_is_acknowledged(source: Source) -> None:
    """(incident 0106)"""
    told: dict[str, Any] = {"sets": {"e-1": source.token()}, "moreAvailable": False}
    there = Transmitting(told, told, {"sets": {}, "moreAvailable": False})
    policy = structs.replace(source.receiver.sources["partner"], poll_url=f"{ISSUER}/poll")
    receiver = structs.replace(source.receiver, sources={"partner": policy})
    polling = SourcePolling(
        receiver=receiver,
        sources=receiver.sources,
        store=source.channel.store,
        clock=source.channel.clock,
        http=there,
    )
    source.keys.down = True
    await polling.round("partner")
    assert await source.live() == EVERYTHING
    source.keys.down = False
    source.channel.clock.time += 10
    await polling.round("partner")
    assert await source.live() == {"ses_own"}
    assert [one.get("ack") for one in there.asked] == [None, None, ["e-1"]]


@pytest.mark.requirement(59, 72)
async def test_a_step_up_does_not_keep_a_session_from_an_event_before_it(source: Source) -> None:
    """A session counts from its beginning; `auth_time` is that of the last proof."""
    channel, happened = source.channel, source.channel.clock.time
    store = channel.store
    channel.clock.time += 60
    old = await store.sessions.get("ses_first")
    assert old is not None
    proofs = (Proof("provider", happened + 30, ("fed",)), Proof("totp", happened + 30, ("otp",)))
    stepped = structs.replace(old, auth_time=happened + 30, proofs=proofs)
    newer = structs.replace(stepped, id="ses_newer", secret_hash=b"n" * 32, created_at=happened + 30)
    rests = UpstreamSession(holder="ses_newer", factor_id="fac_1", sid=None, expires_at=happened + 86_400)
    assert await store.commit(
        store.sessions.replace_secret(old, stepped),
        store.sessions.insert(newer),
        store.external_identities.note_session(rests),
    )
    event = source.token(events={f"{CAEP}session-revoked": {"event_timestamp": happened}})
    assert (await source.push(event)).status == 202
    assert await source.live() == {"ses_own", "ses_newer"}
