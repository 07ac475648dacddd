"""Dynamic client registration: register, read, change and remove an app (RFC 7591, RFC 7592)."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, Final

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.client import REGISTERED_PREFIX, SECRET_METHODS, Client, ClientSecret
from doorward.core.model.digest import digest
from doorward.core.model.self_registered import InitialAccessToken, RegisteredApp
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.clients.directory import unknown
from doorward.features.clients.rules import open_access, with_open_access
from doorward.features.oauth.clients.rules.self_registered import client_of, read, refused
from doorward.features.oauth.registration import rules
from doorward.features.oauth.registration.rules import ClientInformation, Limits
from doorward.features.oauth.registration.settings import RegistrationPolicy
from doorward.features.rate_limits.rules.failures import ClientAuthRateLimiter
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

SECRET_PREFIX: Final = "dw_cs_"
TOKEN_PREFIX: Final = "dw_rat_"
"""Begins registration access tokens."""
INITIAL_PREFIX: Final = "dw_iat_"
"""Begins initial access tokens."""
_DAY: Final = 86_400
_BAD_TOKEN: Final = "The registration access token is invalid."
_BAD_INITIAL: Final = "Registration needs a valid initial access token."


class RegisteredApps(Struct, frozen=True, kw_only=True):
    """The source of apps that registered themselves: each is one row, read when it is named."""

    store: Store

    def owns(self, client_id: str) -> bool:
        """By the prefix of the id."""
        return client_id.startswith(REGISTERED_PREFIX)

    async def find(self, client_id: str) -> Client | None:
        """The app, unless it is disabled. Raises `StoreUnavailable`."""
        row = await self.store.registered_apps.get(client_id[:80])
        return None if row is None or row.disabled_at is not None else row.client

    async def resolve(self, client_id: str, caller: Caller, now: int) -> Client | OAuthError:
        """The same. Raises `StoreUnavailable`."""
        del caller, now
        found = await self.find(client_id)
        return unknown(client_id) if found is None else found


class Registration(Struct, frozen=True, kw_only=True):
    """Open registrations are limited by network and in total, all others by their initial access token. Wrong tokens are counted as wrong
    client secrets are (R96)."""

    store: Store
    config: ConfigSource
    clock: Clock
    random: SecureRandom
    audit_log: AuditLog
    metrics: Metrics
    throttle: Throttle
    failures: ClientAuthRateLimiter
    revoker: Revoker
    policy: RegistrationPolicy
    issuer: str

    async def register(
        self, document: Mapping[str, Any], token: str | None, *, caller: Caller, now: int
    ) -> ClientInformation | OAuthError:
        """Register an app with this metadata. Raises `StoreUnavailable`."""
        answer = await self._register(document, token, caller, now)
        self.metrics.inc("registrations", "refused" if isinstance(answer, OAuthError) else "registered")
        return answer

    async def _register(
        self, document: Mapping[str, Any], token: str | None, caller: Caller, now: int
    ) -> ClientInformation | OAuthError:
        initial: InitialAccessToken | None = None
        if token is not None:
            initial = await self.store.registered_apps.token(digest(token))
            if initial is None or initial.expires_at <= now or initial.used >= initial.most:
                return self._wrong(
                    _BAD_INITIAL, "no such initial access token, or none is left of it", caller, now
                )
        elif self.policy.mode != "open":
            return OAuthError("invalid_token", _BAD_INITIAL, "no initial access token was sent")
        else:
            buckets = rules.of_registrations(
                caller.address,
                per_network=self.policy.per_network,
                per_hour=self.policy.per_hour,
                tag=self.throttle.tag,
            )
            if (wait := await self.throttle.take(buckets, now)) is not None:
                say = "Too many registrations. Try again later."
                return OAuthError("temporarily_unavailable", say, "registration limit", wait.until)
        made = self._client(document, self.random.new_id("dcr"), rules.limits_of(initial), now)
        if isinstance(made, OAuthError):
            return made
        if await self.store.registered_apps.count() >= self.policy.most:
            return OAuthError(
                "temporarily_unavailable",
                "There is no room for another app. Try again later.",
                f"registration.most is reached: {self.policy.most}",
                now + _DAY,
                fix="doorward app list, then doorward app delete; or a higher registration.most",
            )
        client, secret = self._with_secret(made, now)
        own = TOKEN_PREFIX + self.random.token(32)
        app = RegisteredApp(
            id=client.id,
            client=client,
            token_hash=digest(own),
            created_at=now,
            expires_at=now + self.policy.unused_days * _DAY,
            initial_token_id=None if initial is None else initial.id,
        )
        event = self.audit_log.write(
            "app.registered",
            caller=caller,
            now=now,
            client_id=client.id,
            name=client.name,
            initial_token="" if initial is None else initial.name,
        )
        count = () if initial is None else (self.store.registered_apps.use_token(initial.id, now),)
        if not await self.store.commit(*count, self.store.registered_apps.insert(app), event):
            return OAuthError(
                "invalid_token", _BAD_INITIAL, "its last registration was made at the same time"
            )
        return self._response(client, own, document, secret)

    async def get(
        self, app_id: str, token: str | None, *, caller: Caller, now: int
    ) -> ClientInformation | OAuthError:
        """The registration, without the secret, of which only a hash is kept (RFC 7592 §2.1). Raises `StoreUnavailable`."""
        app = await self._own(app_id, token, caller, now)
        if isinstance(app, OAuthError):
            return app
        return self._response(app.client, token or "", {})

    async def update(
        self, app_id: str, token: str | None, document: Mapping[str, Any], *, caller: Caller, now: int
    ) -> ClientInformation | OAuthError:
        """Replace the metadata, and the token (RFC 7592 §2.2). Raises `StoreUnavailable`."""
        app = await self._own(app_id, token, caller, now)
        if isinstance(app, OAuthError):
            return app
        if (
            wait := await self.throttle.take(rules.of_changes(app.id, tag=self.throttle.tag), now)
        ) is not None:
            say = "Too many changes. Try again later."
            return OAuthError("temporarily_unavailable", say, "limit of changes", wait.until, app.client.name)
        if (error := rules.update_problem(document, app.id)) is not None:
            return error
        if (error := self._secret_problem(app.client, document.get("client_secret"))) is not None:
            return error
        initial = None
        if app.initial_token_id is not None:
            held = await self.store.registered_apps.tokens()
            initial = next((one for one in held if one.id == app.initial_token_id), None)
        limits = rules.limits_of(initial, app.client if app.initial_token_id is not None else None)
        made = self._client(document, app.id, limits, app.created_at)
        if isinstance(made, OAuthError):
            return made
        if made.auth_method in SECRET_METHODS:
            made = structs.replace(made, secrets=app.client.secrets)
        client, secret = self._with_secret(made, now)
        own = TOKEN_PREFIX + self.random.token(32)
        new = structs.replace(app, client=client, token_hash=digest(own))
        changed = [n for n in Client.__struct_fields__ if getattr(app.client, n) != getattr(client, n)]
        event = self.audit_log.write(
            "app.registration_changed", caller=caller, now=now, client_id=app.id, changed=changed
        )
        if not await self.store.commit(self.store.registered_apps.update(app, new), event):
            return OAuthError("invalid_token", _BAD_TOKEN, "the token was replaced at the same time")
        return self._response(client, own, document, secret)

    async def delete(self, app_id: str, token: str | None, *, caller: Caller, now: int) -> OAuthError | None:
        """Remove the app, and end all that it holds (RFC 7592 §2.3). Raises `StoreUnavailable`."""
        app = await self._own(app_id, token, caller, now)
        if isinstance(app, OAuthError):
            return app
        event = self.audit_log.write("app.unregistered", caller=caller, now=now, client_id=app.id)
        await self.store.commit(
            self.store.registered_apps.delete(app.id),
            *self.revoker.client(app.id, now=now, reason="app_deleted"),
            event,
        )
        await self.revoker.late_client(app.id, ended=now, now=self.clock.now())
        return None

    async def _own(
        self, app_id: str, token: str | None, caller: Caller, now: int
    ) -> RegisteredApp | OAuthError:
        """The app whose token this is. An unknown app and a wrong token are answered alike (RFC 7592 §2)."""
        if token is None:
            return OAuthError("invalid_token", _BAD_TOKEN, "no registration access token was sent")
        app = await self.store.registered_apps.get(app_id[:80])
        expected = app.token_hash if app is not None else digest("")
        if not compare_digest(digest(token), expected) or app is None or app.disabled_at is not None:
            return self._wrong(_BAD_TOKEN, f"not the token of an app {app_id[:80]!r}", caller, now)
        return app

    def _wrong(self, say: str, reason: str, caller: Caller, now: int) -> OAuthError:
        noted = self.failures.note(caller.address, now)
        if noted.retry_at is None:
            return OAuthError("invalid_token", say, reason)
        return OAuthError(
            "invalid_token", "Too many failed attempts from this address.", reason, noted.retry_at
        )

    def _client(
        self, document: Mapping[str, Any], app_id: str, limits: Limits, now: int
    ) -> Client | OAuthError:
        metadata = read(document)
        if isinstance(metadata, OAuthError):
            return metadata
        if metadata.jwks_uri is not None:
            return refused("jwks_uri is not possible here: send the keys as jwks.")
        made = client_of(
            metadata,
            document,
            client_id=app_id,
            registered_by="app",
            methods=rules.METHODS,
            grants=limits.grant_types,
            now=now,
            schemes=self.policy.private_schemes,
        )
        if isinstance(made, OAuthError):
            return made
        if (error := rules.host_problem(made, limits)) is not None:
            return error
        return structs.replace(made, access=dict(limits.access))

    def _with_secret(self, client: Client, now: int) -> tuple[Client, str | None]:
        if not client.secretive or client.secrets:
            return client, None
        secret = SECRET_PREFIX + self.random.token(32)
        return structs.replace(client, secrets=(ClientSecret(hash=digest(secret), created_at=now),)), secret

    def _secret_problem(self, client: Client, given: object) -> OAuthError | None:
        """A secret that is sent with an update has to be the app's (RFC 7592 §2.2)."""
        if given is None:
            return None
        hashed = digest(given) if isinstance(given, str) else b""
        if any(compare_digest(hashed, secret.hash) for secret in client.secrets):
            return None
        return OAuthError("invalid_request", "client_secret is not that of the registration.")

    def _response(
        self, client: Client, token: str, document: Mapping[str, Any], secret: str | None = None
    ) -> ClientInformation:
        scope = document.get("scope")
        reaching = with_open_access(client, open_access(self.config.current(), "app"))
        return rules.response(
            reaching,
            token=token,
            uri=f"{self.issuer}/register/{client.id}",
            secret=secret,
            scope=scope if isinstance(scope, str) else None,
        )
