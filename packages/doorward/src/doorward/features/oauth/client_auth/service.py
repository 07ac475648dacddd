"""Client authentication at the token, introspection and revocation endpoints (OAuth 2.1 §2.4, R22, R23, R24)."""

from __future__ import annotations

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.model.client import SECRET_METHODS, Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.clients.directory import ClientDirectory
from doorward.features.oauth.client_auth.method import FAILED, Presented, SingleUse
from doorward.features.oauth.client_auth.rules.credentials import CredentialReader
from doorward.features.oauth.client_auth.rules.registered_method import registered
from doorward.features.oauth.client_auth.verified import VerifiedHeaders
from doorward.features.rate_limits.rules.failures import ClientAuthRateLimiter
from doorward.storage.sql.store import Store


class ClientAuthenticator(Struct, frozen=True, kw_only=True):
    """Reads the single credential of a request and verifies it; failures are counted per address, and audited sparingly."""

    reader: CredentialReader
    store: Store
    config: ConfigSource
    directory: ClientDirectory
    audit_log: AuditLog
    metrics: Metrics
    failures: ClientAuthRateLimiter
    verified: VerifiedHeaders
    policy: TokenPolicy
    issuer: str

    def named(self, request: TokenRequest) -> bool:
        """Whether a request names an app, or has a credential of one, right or wrong."""
        return self.reader.named(request)

    async def authenticate(self, request: TokenRequest) -> Client | OAuthError:
        """The app, or the refusal. `retry_at` is set after too many failures of the address."""
        config, header = self.config.current(), request.authorization
        if header is not None:
            known = self.verified.find(config, header, request.now)
            if known is not None and self.reader.alone(request, known.id):
                return known
        presented = self.reader.read(request)
        if not isinstance(presented, Presented):
            return await self._failed(presented, None, request)
        client_id = presented.client_id
        client = config.clients.get(client_id)
        if client is None:
            # an app of the configuration, which is the usual one, is found above without a wait
            found = await self.directory.resolve(client_id, request.caller, request.now)
            if isinstance(found, OAuthError):
                return await self._failed(structs.replace(found, description=FAILED), client_id, request)
            client = found
        method = self.reader.methods[presented.method]
        verdict = registered(presented, client) or method.verify(
            presented, client, request, issuer=self.issuer, policy=self.policy
        )
        if isinstance(verdict, SingleUse):
            verdict = await self._claim(verdict, client, request.now)
        if verdict is None:
            if header is not None and presented.method in SECRET_METHODS:
                self.verified.keep(config, header, client, request.now)
            return client
        return await self._failed(verdict.to(client.name), client_id, request)

    async def _claim(self, use: SingleUse, client: Client, now: int) -> OAuthError | None:
        """Record the single use durably before any token is issued: of two processes that receive the same credential, one accepts it."""
        claim = self.store.replay_cache.claim(f"assertion:{client.id}", use.id, use.remember_until, now=now)
        if await self.store.commit(claim):
            return None
        return OAuthError("invalid_client", FAILED, "client assertion: its jti was used before")

    async def _failed(self, error: OAuthError, client_id: str | None, request: TokenRequest) -> OAuthError:
        if error.code != "invalid_client":
            return error
        self.metrics.inc("client_authentication_failures")
        noted = self.failures.note(request.caller.address, request.now)
        if noted.audit:
            await self.store.commit(
                self.audit_log.write(
                    "client.authentication_failed",
                    caller=request.caller,
                    now=request.now,
                    client_id=client_id[:80] if client_id else None,
                    ok=False,
                    # one text in the audit log, where nothing is pasted from
                    because=f"{error.reason}. Fix: {error.fix}" if error.fix else error.reason,
                    failures=noted.count,
                )
            )
        if noted.retry_at is None:
            return error
        say = "Too many failed attempts from this address."
        return structs.replace(error, description=say, retry_at=noted.retry_at)
