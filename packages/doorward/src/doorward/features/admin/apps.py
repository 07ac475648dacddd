"""Administration of apps: create, find, update, rotate the secret, delete. A secret is shown once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from typing import Final

from msgspec import Struct, structs

from doorward.core import text
from doorward.core.model.actor import Actor
from doorward.core.model.client import Client, ClientSecret
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.digest import digest
from doorward.core.model.message import Undelivered
from doorward.core.model.problem import Problem
from doorward.core.model.secret import Secret
from doorward.features.admin.access import parse_access
from doorward.features.admin.commit import ConfigAdmin
from doorward.features.admin.error import demand, refused
from doorward.features.admin.lookup import find_client
from doorward.features.admin.operation import Overtaken, operation
from doorward.features.oauth.clients.rules import kinds, registration
from doorward.features.oauth.clients.rules.kinds import AppKind
from doorward.features.signing_keys import rules as key_life
from doorward.features.signing_keys.rotation import KeyRotation
from doorward.storage.sql.store import Write

SECRET_PREFIX: Final = "dw_cs_"
MOST_KEPT: Final = 30 * 86_400
"""Seconds for which a replaced secret may still work."""


class NewSecret(Struct, frozen=True):
    """An app and its new secret, if it has one: the secret is not readable later."""

    client: Client
    secret: Secret | None


class AppAdmin(ConfigAdmin, frozen=True, kw_only=True):
    """Apps are named by name or id, APIs by identifier, name or id. Every method raises `AdminError` on failure, and every change is
    audited."""

    rotation: KeyRotation
    grant_types: Sequence[str]
    auth_methods: Sequence[str]
    """Values with which an app may be registered: the names of the plugs of this server."""
    alone: Set[str] = frozenset()
    """Those of the grant types whose requests need not name an app."""
    private_schemes: Collection[str] = ()
    """Private-use schemes without a domain that native apps may have."""

    @operation("apps.write")
    async def create(
        self, actor: Actor, draft: Client, *, kind: AppKind, access: Sequence[str] = ()
    ) -> NewSecret:
        """Register an app. All members of `draft` count except id, secrets, access and created_at; `access` names APIs and permissions
        as `API:permission,permission` (no permissions: all of the API)."""
        config = await self.config.refresh()
        draft = structs.replace(draft, name=text.name(draft.name))
        demand(registration.name_problem(draft.name, prefix="app"))
        _refuse_taken(config, draft.name)
        now = self.clock.now()
        client = structs.replace(
            draft,
            id=self.random.new_id("app"),
            created_at=now,
            access=parse_access(config, access),
            secrets=(),
            native=kind == "native",
        )
        demand(self._plug_problem(client))
        demand(kinds.problem(client, kind=kind, alone=self.alone))
        demand(self._problem(client, native=kind == "native"))
        client, secret = self._credentials(client, now)
        demands = [await self._demand_this_program()] if registration.needs_this_program(client) else []
        await self._put(actor, config, client, "app.created", *demands, name=client.name)
        return NewSecret(client, secret)

    @operation("apps.read")
    async def find(self, actor: Actor) -> Sequence[Client]:
        """All apps, by name."""
        return sorted(
            (await self.config.refresh()).clients.values(), key=lambda client: client.name.casefold()
        )

    @operation("apps.read")
    async def get(self, actor: Actor, app: str) -> Client:
        """One app."""
        return find_client(await self.config.refresh(), app)

    @operation("apps.read")
    async def get_undelivered(self, actor: Actor, app: str) -> Undelivered | None:
        """Logout notifications that could not be delivered to the app in the last 30 days; None if there are none."""
        client = find_client(await self.config.refresh(), app)
        return next((u for u in await self.store.messages.undelivered() if u.client_id == client.id), None)

    @operation("apps.write")
    async def update(
        self,
        actor: Actor,
        app: str,
        change: Callable[[Client], Client],
        *,
        access: Sequence[str] = (),
    ) -> NewSecret:
        """Apply `change` to the current app; `access` adds APIs or replaces their permissions. The result is checked as a whole. When
        the authentication method changes, the app loses its old credentials, and gets a secret if it needs one."""
        config = await self.config.refresh()
        return await self._update(actor, config, find_client(config, app), change, access)

    @operation("apps.write")
    async def add_redirect_uri(self, actor: Actor, app: str, uri: str) -> Client:
        """Add a redirect URI."""
        config = await self.config.refresh()
        client = find_client(config, app)
        if uri in client.redirect_uris:
            raise refused("redirect_uri_repeated", uri=uri, app=client.name)
        native = kinds.may_be_native(client)
        demand(registration.redirect_uri_problem(uri, native=native, schemes=self.private_schemes))
        uris = (*client.redirect_uris, uri)
        made = await self._update(
            actor, config, client, lambda old: structs.replace(old, redirect_uris=uris), ()
        )
        return made.client

    @operation("apps.write")
    async def rotate_secret(self, actor: Actor, app: str, *, keep_old: int = 0) -> NewSecret:
        """A new secret. The old one ends now, or after `keep_old` seconds, so that a running app can be reconfigured."""
        if not 0 <= keep_old <= MOST_KEPT:
            raise refused("out_of_range", member="keep_old", value=keep_old, least=0, most=MOST_KEPT)
        config = await self.config.refresh()
        client = find_client(config, app)
        if not client.secretive:
            raise refused("app_without_secret", app=client.name, auth_method=client.auth_method)
        now = self.clock.now()
        secret, stored = self._new_secret(now)
        # at most two are live: the newest old secret may stay for a while
        kept = [
            structs.replace(old, expires_at=min(old.expires_at or now + keep_old, now + keep_old))
            for old in client.secrets[-1:]
            if keep_old > 0 and (old.expires_at is None or old.expires_at > now)
        ]
        changed = structs.replace(client, secrets=(*kept, stored))
        await self._put(actor, config, changed, "app.secret_rotated")
        return NewSecret(changed, secret)

    @operation("apps.write")
    async def end_access(self, actor: Actor, app: str) -> Client:
        """End every grant, API key and token of the app now, in one transaction. The app stays: people sign in to it again."""
        config = await self.config.refresh()
        client = find_client(config, app)
        now = self.clock.now()
        await self.store.commit(
            *self.revoker.client_access(client.id, now=now, reason="ended_by_operator"),
            self._event(actor, "app.access_ended", now, client_id=client.id, name=client.name),
        )
        await self.revoker.late_client(client.id, ended=now, now=self.clock.now())
        return client

    @operation("apps.write")
    async def delete(self, actor: Actor, app: str) -> Client:
        """Delete the app; all its grants and tokens end now."""
        config = await self.config.refresh()
        client = find_client(config, app)
        now = self.clock.now()
        writes = self.revoker.client(client.id, now=now, reason="app_deleted")
        for api in config.apis.values():
            if api.client_id == client.id:
                writes.append(self.store.registry.put_api(structs.replace(api, client_id=None)))
        writes.append(self.store.registry.delete_client(client.id))
        await self._commit(actor, "app.deleted", config, *writes, client_id=client.id, name=client.name)
        await self.revoker.late_client(client.id, ended=now, now=self.clock.now())
        return client

    async def _update(
        self,
        actor: Actor,
        config: ConfigSnapshot,
        old: Client,
        change: Callable[[Client], Client],
        access: Sequence[str],
    ) -> NewSecret:
        new = change(old)
        if access:
            new = structs.replace(new, access={**new.access, **parse_access(config, access)})
        if new == old:
            raise refused("unchanged", noun="app", name=old.name)
        if new.name != old.name:
            new = structs.replace(new, name=text.name(new.name))
            demand(registration.name_problem(new.name, prefix="app"))
            _refuse_taken(config, new.name, but=old.id)
        if (new.grant_types, new.auth_method) != (old.grant_types, old.auth_method):
            # values registered before a plug was removed stay valid until they are changed
            demand(self._plug_problem(new))
        new = kinds.without_unused_credentials(new, old=old)
        demand(self._problem(new, native=kinds.may_be_native(old) or not new.confidential))
        asking = [api.name for api in config.apis.values() if api.client_id == old.id]
        if asking and not new.confidential:
            raise refused("app_introspects", app=old.name, api=asking[0])
        new, secret = self._credentials(new, self.clock.now())
        changed = [name for name in Client.__struct_fields__ if getattr(old, name) != getattr(new, name)]
        begins = registration.needs_this_program(new) and not registration.needs_this_program(old)
        demands = [await self._demand_this_program()] if begins else []
        await self._put(actor, config, new, "app.changed", *demands, changed=changed)
        return NewSecret(new, secret)

    def _plug_problem(self, client: Client) -> Problem | None:
        return registration.plug_problem(client, grant_types=self.grant_types, auth_methods=self.auth_methods)

    def _problem(self, client: Client, *, native: bool) -> Problem | None:
        return registration.client_problem(client, native=native, schemes=self.private_schemes)

    def _credentials(self, client: Client, now: int) -> tuple[Client, Secret | None]:
        """The app with a secret, if its method needs one and it has none."""
        if not client.secretive or client.secrets:
            return client, None
        secret, stored = self._new_secret(now)
        return structs.replace(client, secrets=(stored,)), secret

    def _new_secret(self, now: int) -> tuple[Secret, ClientSecret]:
        text = SECRET_PREFIX + self.random.token(32)
        return Secret(text), ClientSecret(hash=digest(text), created_at=now)

    async def _put(
        self,
        actor: Actor,
        config: ConfigSnapshot,
        client: Client,
        kind: str,
        *also: Write,
        **detail: str | list[str],
    ) -> None:
        if await self.rotation.ensure(key_life.algorithms([client], []), actor=actor):
            raise Overtaken
        put = self.store.registry.put_client(client)
        await self._commit(actor, kind, config, put, *also, client_id=client.id, **detail)


def _refuse_taken(config: ConfigSnapshot, name: str, *, but: str = "") -> None:
    for client in config.clients.values():
        if client.id != but and text.same_as(client.name) == text.same_as(name):
            raise refused("app_name_taken", name=client.name)
