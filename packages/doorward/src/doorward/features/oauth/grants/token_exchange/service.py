"""Token exchange grant: an access token for another API, in the name of the subject of a token (RFC 8693)."""

from __future__ import annotations

from shlex import quote
from typing import Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.token_exchange import Exchange, ExchangePolicy
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.oauth.grants.token_exchange.assertions import AssertionIssuer
from doorward.features.oauth.grants.token_exchange.reader import PresentedTokens
from doorward.features.oauth.grants.token_exchange.rules import acting, resting, target
from doorward.features.oauth.grants.token_exchange.rules.acting import Acting, chain
from doorward.features.oauth.grants.token_exchange.rules.presented import PresentedToken
from doorward.features.oauth.grants.token_exchange.rules.request import ExchangeRequest, parse
from doorward.features.oauth.grants.token_exchange.rules.resting import Upstream
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.features.sessions.rules.revocation import SNAPSHOT_LAG
from doorward.storage.sql.store import Store

ROUNDS: Final = 8
"""A lost commit means that something was revoked, or that a concurrent request made the row: the next round finds either."""


class _Parties(Struct, frozen=True, kw_only=True):
    """What one round has found: the tokens, the person they speak for, and the newest revocation that was considered."""

    subject: PresentedToken
    actor: PresentedToken | None
    account: Account | None
    seen: int


class TokenExchangeGrant(Struct, frozen=True, kw_only=True):
    """Checks everything that a token says against the present, and ties the new token to all of it."""

    store: Store
    config: ConfigSource
    random: SecureRandom
    view: ServerRevocationView
    tokens: TokenIssuer
    presented: PresentedTokens
    assertions: AssertionIssuer
    audit_log: AuditLog

    async def exchange(self, request: TokenRequest, client: Client) -> TokenResponse | OAuthError:
        """The token, or the refusal. Neither a refresh token nor an ID token comes with it: whoever exchanges comes again with a subject
        token that is still valid."""
        policy = client.exchange
        if policy is None or not (policy.apis or policy.id_jag):
            return OAuthError(
                "unauthorized_client",
                "This app may not exchange tokens.",
                f"app {client.name!r} has the grant, and nothing that it may exchange tokens for",
                fix=f"doorward app exchange {quote(client.name)} --api API",
            )
        if request.now < policy.since + SNAPSHOT_LAG:
            return OAuthError(
                "temporarily_unavailable",
                "Please try again.",
                "the policy of the app is not known to every process yet",
                policy.since + SNAPSHOT_LAG,
            )
        asked = parse(request.form)
        if isinstance(asked, OAuthError):
            return asked
        if asked.assertion:
            return await self.assertions.issue(asked, client, policy, request)
        for _ in range(ROUNDS):
            answer = await self._round(asked, client, policy, request)
            if answer is not None:
                return answer
        return OAuthError(
            "temporarily_unavailable",
            "Please try again.",
            "lost every commit to revocations, or too many apps exchange the tokens of one sign-in",
            request.now + 1,
        )

    async def _round(
        self, asked: ExchangeRequest, client: Client, policy: ExchangePolicy, request: TokenRequest
    ) -> TokenResponse | OAuthError | None:
        """None when the commit lost."""
        now = request.now
        parties = await self._parties(asked, client, now)
        if isinstance(parties, OAuthError):
            return parties
        subject, actor = parties.subject, parties.actor
        who = acting.decide(subject, actor, client=client, policy=policy, issuer=self.tokens.issuer)
        if isinstance(who, OAuthError):
            return who
        config = self.config.current()
        audience = target.audience(asked, client=client, policy=policy, config=config)
        if isinstance(audience, OAuthError):
            return audience
        granted = target.narrowed(
            asked, subject, parties.account, target=audience, client=client, config=config
        )
        if isinstance(granted, OAuthError):
            return granted
        prefix: str | OAuthError | None = subject.prefix
        if actor is not None or subject.client_id != client.id:
            prefix = await self._row(parties, who, client, audience, request.caller, now)
        if prefix is None or isinstance(prefix, OAuthError):
            return prefix
        person = parties.account
        entitlement = Entitlement(
            grant_id=prefix,
            client_id=client.id,
            audience=audience,
            scopes=granted.scopes,
            permissions=granted.permissions,
            roles=granted.roles,
            account_id=None if person is None else person.id,
            subject=subject.subject,
            session_id=subject.session_id,
            auth_time=subject.auth_time,
            acr=subject.acr,
            amr=subject.amr,
            actor=who.act,
        )
        until = subject.until if actor is None else min(subject.until, actor.until)
        return self.tokens.derived(entitlement, client, until=until, now=now, issued_token_type=asked.issued)

    async def _parties(self, asked: ExchangeRequest, client: Client, now: int) -> _Parties | OAuthError:
        """The tokens, with everybody in them alive. The number of the newest revocation is taken first, so that whatever ends after this
        is found by the guard of the row."""
        view = await self.view.fresh(now)
        seen = view.seq
        subject: PresentedToken | OAuthError
        if asked.subject == "refresh_token":
            subject = await self.presented.refresh(asked.subject_token, client, now)
        else:
            subject = self.presented.access(asked.subject_token, client, view, now, parameter="subject_token")
        if isinstance(subject, OAuthError):
            return subject
        actor: PresentedToken | OAuthError | None = None
        if asked.actor_token is not None:
            actor = self.presented.access(asked.actor_token, client, view, now, parameter="actor_token")
            if isinstance(actor, OAuthError):
                return actor
            alive = await self.presented.alive(actor, parameter="actor_token")
            if isinstance(alive, OAuthError):
                return alive
        account = await self.presented.alive(subject, parameter="subject_token")
        if isinstance(account, OAuthError):
            return account
        return _Parties(subject=subject, actor=actor, account=account, seen=seen)

    async def _row(
        self, parties: _Parties, who: Acting, client: Client, audience: str, caller: Caller, now: int
    ) -> str | OAuthError | None:
        """The id that the token begins with: of a living row of this combination, or of a new one. None when the commit lost."""
        subject, actor = parties.subject, parties.actor
        name = resting.combination(subject, actor, act=who.act, target=audience, client_id=client.id)
        living = await self.store.exchanges.living(name, now)
        if living is not None:
            return living.id
        upstream: list[Upstream | None] = [None, None]
        for place, token in enumerate((subject, actor)):
            if token is None or not token.prefix.startswith(f"{resting.PREFIX}_"):
                continue
            row = await self.store.exchanges.get(token.prefix)
            if row is None or row.ended_at is not None:
                return OAuthError(
                    "invalid_request",
                    "The token is invalid, expired or revoked.",
                    f"exchange {token.prefix} has ended",
                )
            upstream[place] = Upstream(row, await self.store.exchanges.ends(row.id))
        made = self.random.new_id(resting.PREFIX)
        ends = resting.ends(
            made,
            subject,
            actor,
            act=who.act,
            client_id=client.id,
            upstream=[one for one in upstream if one is not None],
        )
        if len(ends) > resting.MOST_ENDS:
            return OAuthError(
                "invalid_request",
                "The token went through too many exchanges.",
                f"it would rest on {len(ends)} ids",
            )
        exchange = Exchange(
            id=made,
            combination=name,
            root=resting.root(subject, upstream[0]),
            account_id=None if parties.account is None else parties.account.id,
            subject=subject.subject,
            actor=who.by,
            client_id=client.id,
            created_at=now,
            expires_at=now + resting.LIFE,
        )
        event = self.audit_log.write(
            "token.exchanged",
            caller=caller,
            now=now,
            account_id=exchange.account_id,
            session_id=subject.session_id,
            client_id=client.id,
            grant_id=made,
            subject=subject.subject,
            actors=list(chain(who.act)),
            way="impersonation" if who.by is None else "delegation",
            of_app=subject.client_id,
            api=audience,
        )
        if await self.store.commit(self.store.exchanges.insert(exchange, ends, seen=parties.seen), event):
            return made
        return None
