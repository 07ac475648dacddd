"""Which app is this, proven? Asked by the token endpoint, introspection and revocation alike (OAuth 2.1 §2.4, lines 22-24)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.core.errors import Refusal
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.metrics import Meter
from doorward.core.ports.store import Store
from doorward.features.audit.service import Record
from doorward.features.oauth.client_auth.methods.none import rules as none
from doorward.features.oauth.client_auth.methods.private_key_jwt import rules as private_key_jwt
from doorward.features.oauth.client_auth.methods.secret import rules as secret
from doorward.features.oauth.client_auth.rules import method
from doorward.features.oauth.client_auth.rules import presented as reading
from doorward.features.oauth.client_auth.rules.presented import FAILED, Presented
from doorward.features.rate_limits.rules.failures import Failures


@dataclass(frozen=True, slots=True)
class AuthenticateClient:
    """Reads the one credential of a request and judges it; failures are counted by address and audited sparingly."""

    store: Store
    catalog: CatalogSource
    record: Record
    meter: Meter
    failures: Failures
    policy: TokenPolicy
    issuer: str

    async def __call__(
        self, authorization: str | None, form: Mapping[str, str], *, caller: Caller, now: int
    ) -> Client | Refusal:
        """The app, or why not. `authorization` is the header's value. `retry_at` is set once an address failed too often."""
        presented = reading.read(authorization, form)
        if isinstance(presented, Presented):
            verdict = await self._judge(presented, now)
            if isinstance(verdict, Client):
                return verdict
            client_id = presented.client_id
            meant = self.catalog.current().clients.get(client_id)
            if meant is not None:
                verdict = verdict.to(meant.name)
        else:
            verdict, client_id = presented, None
        if verdict.code != "invalid_client":
            return verdict
        return await self._failed(verdict, client_id, caller, now)

    async def _judge(self, presented: Presented, now: int) -> Client | Refusal:
        client = self.catalog.current().clients.get(presented.client_id)
        if client is None:
            return Refusal("invalid_client", FAILED, f"no app {presented.client_id[:80]!r}")
        refusal = method.registered(presented, client)
        if refusal is not None:
            return refusal
        match client.auth_method:
            case "client_secret_basic" | "client_secret_post":
                refusal = secret.check(presented, client, now)
            case "none":
                refusal = none.check(presented, client)
            case "private_key_jwt":
                refusal = await self._assertion(presented, client, now)
        return client if refusal is None else refusal

    async def _assertion(self, presented: Presented, client: Client, now: int) -> Refusal | None:
        verdict = private_key_jwt.check(
            presented, client, issuer=self.issuer, max_age=self.policy.assertion_max_age, now=now
        )
        if isinstance(verdict, Refusal):
            return verdict
        # Durable, and before anything is given out: the same assertion sent to two processes at once works once.
        claim = self.store.attempts.claim(
            f"assertion:{client.id}", verdict.jti, verdict.remember_until, now=now
        )
        if await self.store.commit(claim):
            return None
        return Refusal("invalid_client", FAILED, "client assertion: its jti was used before")

    async def _failed(self, refusal: Refusal, client_id: str | None, caller: Caller, now: int) -> Refusal:
        self.meter.count("client_authentication_failures")
        noted = self.failures.note(caller.address, now)
        if noted.audit:
            await self.store.commit(
                self.record.write(
                    "client.authentication_failed",
                    caller=caller,
                    now=now,
                    client_id=client_id[:80] if client_id else None,
                    ok=False,
                    because=refusal.because,
                    failures=noted.count,
                )
            )
        if noted.retry_at is None:
            return refusal
        say = "Too many failed attempts from this address."
        return Refusal("invalid_client", say, refusal.because, noted.retry_at, refusal.app)
