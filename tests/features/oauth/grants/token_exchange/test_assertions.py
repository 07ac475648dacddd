"""ID-JAGs from this server: from which sign-in, what they say, and what ends the right to one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.token_exchange import ExchangePolicy, IdJagTarget
from doorward.features.oauth.grants.token_exchange.assertions import TOLD_EVERY
from doorward.features.oauth.grants.token_exchange.rules.request import ID_TOKEN
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.rules import id_jag
from tests.features import made
from tests.features.oauth.grants.token_exchange.parties import change, exchange, furnish, refused, web
from tests.features.oauth.logout.back_channel import BackChannel, back_channel

pytestmark = pytest.mark.anyio

THERE = "https://auth.calendar.example"
CHAT = web(
    exchange=ExchangePolicy(id_jag={THERE: IdJagTarget(client_id="chat-there", scopes=("calendar.read",))})
)
ASKED: dict[str, Any] = {"requested_token_type": id_jag.TOKEN_TYPE, "audience": THERE}


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as one:
        await furnish(one)
        await one.put(CHAT)
        yield one


async def signed_in(channel: BackChannel, **grant: Any) -> TokenResponse:
    raw, _ = await channel.family(**grant)
    answer = await channel.refresh(raw, CHAT)
    assert isinstance(answer, TokenResponse)
    assert answer.id_token is not None
    return answer


async def asked(channel: BackChannel, token: str | None, **form: Any) -> TokenResponse | OAuthError:
    assert token is not None
    kind = {} if token.startswith("dw_rt_") else {"subject_token_type": ID_TOKEN}
    return await exchange(channel, token, CHAT, **{**ASKED, **kind, **form})


async def test_an_app_is_vouched_for_at_another_server(channel: BackChannel) -> None:
    session = await channel.session(made.account())
    sign_in = await signed_in(channel, session_id=session.id)
    answer = await asked(channel, sign_in.id_token, resource="https://api.calendar.example/")
    assert isinstance(answer, TokenResponse), answer
    assert (answer.token_type, answer.issued_token_type) == ("N_A", id_jag.TOKEN_TYPE)
    assert (answer.expires_in, answer.scope, answer.refresh_token) == (300, "calendar.read", None)
    said = id_jag.read(channel.claims(answer.access_token, id_jag.TYP))
    assert (said.iss, said.sub, said.aud, said.client_id) == (made.ISSUER, "usr_ada", THERE, "chat-there")
    assert (said.scope, said.resource) == ("calendar.read", "https://api.calendar.example/")
    assert (said.acr, said.amr, said.exp - said.iat) == ("urn:doorward:aal1", ("pwd",), 300)
    # it gives no access here
    told: Any = await channel.userinfo.answer(answer.access_token)
    assert told.code == "invalid_token"
    (event,) = await channel.store.audit.page(kind="token.id_jag_issued", limit=9)
    assert (event.account_id, event.client_id, event.detail["audience"]) == ("usr_ada", "app_web", THERE)


async def test_a_refresh_token_stands_for_the_sign_in_too(channel: BackChannel) -> None:
    raw, grant = await channel.family(session_id=None, offline=True)
    answer = await asked(channel, raw)
    assert isinstance(answer, TokenResponse), answer
    assert channel.claims(answer.access_token, id_jag.TYP)["sub"] == "usr_ada"
    assert await channel.store.commit(*channel.revoker.grant(grant, now=channel.clock.time, reason="revoked"))
    assert isinstance(await asked(channel, raw), OAuthError)


@pytest.mark.requirement(93)
async def test_the_log_has_a_line_once_in_a_while(channel: BackChannel) -> None:
    raw, _ = await channel.family(session_id=None)
    for _ in range(3):
        assert isinstance(await asked(channel, raw), TokenResponse)
    assert await channel.audited("token.id_jag_issued") == 1
    channel.clock.time += TOLD_EVERY
    assert isinstance(await asked(channel, raw), TokenResponse)
    assert await channel.audited("token.id_jag_issued") == 2


async def test_an_ended_session_and_a_disabled_person_are_not_vouched_for(channel: BackChannel) -> None:
    ada = made.account()
    session = await channel.session(ada)
    sign_in = await signed_in(channel, session_id=session.id)
    other = await signed_in(channel, session_id=None)
    now = channel.clock.time
    assert await channel.store.commit(*await channel.revoker.session(session, now=now, reason="signed_out"))
    assert isinstance(await asked(channel, sign_in.id_token), OAuthError)
    assert isinstance(await asked(channel, other.id_token), TokenResponse)
    stored = await channel.store.accounts.get("usr_ada")
    assert stored is not None
    gone = structs.replace(stored, disabled_at=now)
    assert await channel.store.commit(channel.store.accounts.replace(gone, old=stored))
    assert isinstance(await asked(channel, other.id_token), OAuthError)


@pytest.mark.requirement(72)
@pytest.mark.parametrize("session", [True, False], ids=["in a session", "without one"])
async def test_a_disconnected_app_is_not_vouched_for(channel: BackChannel, session: bool) -> None:
    """Its ID token is good for minutes more; the person's other apps, and another session with the same app, say nothing for it."""
    ses = (await channel.session(made.account())).id if session else None
    sign_in = await signed_in(channel, session_id=ses)
    raw, grant = await channel.family(session_id=ses)
    later = await channel.refresh(raw, CHAT)
    assert isinstance(later, TokenResponse)
    await channel.family(client_id="app_orders", session_id=ses)
    now = channel.clock.time
    (first,) = [
        one
        for one in await channel.store.grants.live_of_account("usr_ada", now)
        if one.client_id == CHAT.id and one.id != grant.id
    ]
    assert await channel.store.commit(*channel.revoker.grant(first, now=now, reason="revoked"))
    assert isinstance(await asked(channel, later.id_token), TokenResponse)
    assert await channel.store.commit(*channel.revoker.grant(grant, now=now, reason="revoked"))
    if session:
        await channel.family(session_id=(await channel.session(made.account(), "ses_other")).id)
    for token in (sign_in.id_token, later.id_token):
        refusal = await asked(channel, token)
        assert isinstance(refusal, OAuthError), refusal
        assert "no longer connected" in refusal.reason


async def test_a_session_that_is_over_is_not_vouched_for_either(channel: BackChannel) -> None:
    session = await channel.session(made.account(), "ses_short")
    sign_in = await signed_in(channel, session_id=session.id)
    channel.clock.time = session.expires_at
    assert isinstance(await asked(channel, sign_in.id_token), OAuthError)


async def test_what_else_is_refused(channel: BackChannel) -> None:
    sign_in = await signed_in(channel, session_id=None)
    for form, code in (
        ({"audience": "https://auth.other.example"}, "invalid_target"),
        ({"audience": made.ISSUER}, "invalid_target"),
        ({"scope": "calendar.write"}, "invalid_scope"),
        ({"resource": "calendar"}, "invalid_target"),
    ):
        answer = await asked(channel, sign_in.id_token, **form)
        assert isinstance(answer, OAuthError)
        assert answer.code == code
    # an access token was made for an API, which could take it anywhere
    await refused(channel, "invalid_request", sign_in.access_token, CHAT, **ASKED)
    # the ID token of another app
    other = await change(channel, web(id="app_other", name="other"), exchange=CHAT.exchange)
    answer = await exchange(channel, sign_in.id_token or "", other, subject_token_type=ID_TOKEN, **ASKED)
    assert isinstance(answer, OAuthError)
    assert answer.code == "invalid_request"
