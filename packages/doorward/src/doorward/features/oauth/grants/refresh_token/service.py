"""Refresh token grant: the next token for the same person, with a rotation that does not sign people out after a race or a lost
response (OAuth 2.1 §4.3, R18, R19, R20, R21; docs/decisions on rotation)."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

from doorward.adapters.operator_notices import OperatorNotices
from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant, RefreshToken
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.oauth.clients.ignored_scopes import note_ignored
from doorward.features.oauth.grants.refresh_token.newest import NewestTokens
from doorward.features.oauth.grants.refresh_token.rules import grant as grant_rule
from doorward.features.oauth.grants.refresh_token.rules import rotation, successor
from doorward.features.oauth.grants.refresh_token.rules.rotation import (
    GONE,
    Keep,
    LateRepeat,
    Repeat,
    Replayed,
    Rotate,
)
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.oauth.tokens.rules import refresh_format as refresh_text
from doorward.features.risk.family_watch import FamilyWatch
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write

ROUNDS = 4
"""A lost swap means that a concurrent request rotated the token; the second round already finds a successor to repeat."""
_COUNTED = {Rotate: "rotate", Keep: "keep", Repeat: "repeat", LateRepeat: "late_repeat"}


class RefreshTokenGrant(Struct, frozen=True, kw_only=True):
    """Load, decide, sign, compare-and-swap; a lost swap starts a new round.

    The first round may take what this process wrote last in place of a read, and only to rotate: the swap fails when any of it has
    changed. Every other verdict, and every refusal, is made from what the database says.
    """

    store: Store
    revoker: Revoker
    tokens: TokenIssuer
    random: SecureRandom
    audit_log: AuditLog
    metrics: Metrics
    mail_queue: MailQueue
    policy: TokenPolicy
    notices: OperatorNotices
    watch: FamilyWatch
    newest: NewestTokens

    async def exchange(self, request: TokenRequest, client: Client) -> TokenResponse | OAuthError:
        """New tokens, or the refusal. All concurrent calls with one token get the same successor."""
        form, now = request.form, request.now
        raw = form.get("refresh_token")
        if not raw:
            return OAuthError("invalid_request", "refresh_token is missing.")
        presented = refresh_text.read(raw)
        if presented is None:
            return OAuthError("invalid_grant", GONE, "not a refresh token")
        remembered = self.newest.take(presented)
        for _ in range(ROUNDS):
            found = remembered or await self.store.grants.refresh_of_person(presented.grant_id)
            if found is None:
                return OAuthError("invalid_grant", GONE, "no such token")
            token, grant, account = found
            verdict = rotation.decide(presented, token, grant, client=client, policy=self.policy, now=now)
            if remembered is not None and not isinstance(verdict, Rotate):
                remembered = None
                continue
            if isinstance(verdict, OAuthError):
                return verdict
            if isinstance(verdict, Replayed):
                return await self._replayed(grant, account, client, request)
            if account is None or account.disabled_at is not None:
                return OAuthError("invalid_grant", GONE, "the account is gone or disabled")
            scope = form.get("scope")
            scopes = grant_rule.narrow(
                grant,
                scope=scope,
                resource=form.get("resource"),
                config=self.tokens.config.current(),
            )
            if isinstance(scopes, OAuthError):
                if remembered is None:
                    return scopes
                remembered = None
                continue
            if scope is not None:
                note_ignored(self.notices, self.tokens.config.current(), client, scope)
            new, writes, after = self._next(verdict, raw, token, account, now)
            if isinstance(verdict, LateRepeat):
                writes.append(
                    self.audit_log.of_grant(
                        "refresh_token.repeated_late", grant, caller=request.caller, now=now
                    )
                )
            answer = self.tokens.for_person(
                grant, account, client, scopes=scopes, refresh_token=new, first=False, now=now
            )
            if not writes or await self.store.commit(*writes):
                self.metrics.inc("refreshes", _COUNTED[type(verdict)])
                self.watch.note(grant.id, request.caller.address, now)
                if after is not None:
                    self.newest.put(after, grant, account)
                return answer
            remembered = None
        return OAuthError("temporarily_unavailable", "Please try again.", "lost every swap", now + 1)

    def _next(
        self,
        verdict: Rotate | Keep | Repeat | LateRepeat,
        raw: str,
        token: RefreshToken,
        account: Account,
        now: int,
    ) -> tuple[str, list[Write], RefreshToken | None]:
        """The refresh token of the answer, the writes, and the row after a rotation."""
        match verdict:
            case Keep():
                return raw, [], None
            case Repeat(sealed):
                return refresh_text.following(raw, successor.unseal(raw, sealed)), [], None
            case LateRepeat(sealed):
                new = refresh_text.following(raw, successor.unseal(raw, sealed))
                return new, [self.store.grants.repeat_late(token, now)], None
            case Rotate():
                secret = self.random.token(refresh_text.SECRET_BYTES)
                new = refresh_text.following(raw, secret)
                after = rotation.rotated(
                    token,
                    new_hash=digest(new),
                    sealed=successor.seal(raw, secret),
                    leeway=self.policy.refresh_leeway,
                    now=now,
                )
                return new, [self.store.grants.spend_refresh(token, after, account)], after
            case _:
                assert_never(verdict)

    async def _replayed(
        self, grant: Grant, account: Account | None, client: Client, request: TokenRequest
    ) -> OAuthError:
        """End the family, since two parties hold it; the owner gets one mail."""
        now = request.now
        writes: list[Write] = [
            self.store.replay_cache.claim("replayed", grant.id, grant.expires_at),
            *self.revoker.grant(grant, now=now, reason="refresh_token_replayed"),
            self.audit_log.of_grant(
                "refresh_token.replayed", grant, caller=request.caller, now=now, ok=False
            ),
        ]
        if account is not None:
            mail = owner_mail(
                self.mail_queue, "refresh_replayed", account, request.caller, now, app=client.name
            )
            writes.append(self.store.messages.insert_mail(mail))
        await self.store.commit(*writes)
        self.metrics.inc("refreshes", "replayed")
        return OAuthError(
            "invalid_grant", GONE, f"a spent token of grant {grant.id} came back; the grant has ended"
        )
