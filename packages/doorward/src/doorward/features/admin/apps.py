"""What an operator does with apps: register, change, give a new secret, delete. All audited; a secret is shown once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Literal

from msgspec import Struct, structs

from doorward.core import text
from doorward.core.model.client import Client, ClientSecret
from doorward.core.model.config_snapshot import Catalog
from doorward.core.model.digest import digest
from doorward.core.model.message import Undelivered
from doorward.core.model.secret import Secret
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.random import Chance
from doorward.core.ports.store import Store, Write
from doorward.features.admin.access import parse_access
from doorward.features.admin.commit import Overtaken, audit_write, commit_as_read, decided_anew
from doorward.features.admin.lookup import find_client
from doorward.features.admin.refused import ManageRefused
from doorward.features.oauth.authorize.rules.request import is_web
from doorward.features.oauth.clients.rules import registration
from doorward.features.sessions.ending import Ending
from doorward.features.signing_keys import rules as key_life
from doorward.features.signing_keys.rotation import ManageKeys

AppKind = Literal["web", "spa", "native", "service"]
KINDS: Mapping[AppKind, tuple[str, tuple[str, ...]]] = {
    "web": ("client_secret_basic", ("authorization_code", "refresh_token")),
    "spa": ("none", ("authorization_code", "refresh_token")),
    "native": ("none", ("authorization_code", "refresh_token")),
    "service": ("client_secret_basic", ("client_credentials",)),
}
SECRET_PREFIX = "dw_cs_"


class NewSecret(Struct, frozen=True):
    """An app, and its new secret if it has one: the only moment at which anybody sees it."""

    client: Client
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class ManageApps:
    """Apps are named by name or id, APIs by identifier, name or id. Every method raises `ManageRefused` when it cannot be done."""

    store: Store
    catalog: CatalogSource
    chance: Chance
    clock: Clock
    ending: Ending
    keys: ManageKeys

    @decided_anew
    async def create(self, draft: Client, *, kind: AppKind, access: Sequence[str] = ()) -> NewSecret:
        """Register. Of `draft` count all members but id, secrets, access and created_at; `access` names
        APIs and permissions as `API:permission,permission` (none named: all that the API has)."""
        catalog = await self.catalog.refresh()
        draft = structs.replace(draft, name=text.name(draft.name))
        if problem := registration.name_problem(draft.name, prefix="app"):
            raise ManageRefused(problem)
        _refuse_taken(catalog, draft.name)
        now = self.clock.now()
        client = structs.replace(
            draft,
            id=self.chance.new_id("app"),
            created_at=now,
            access=_allowed(catalog, access),
            secrets=(),
        )
        _check(client, native=kind == "native")
        client, secret = self._credentials(client, now)
        await self._put(catalog, client, "app.created", now, {"name": client.name})
        return NewSecret(client, secret)

    async def listed(self) -> Sequence[Client]:
        """All apps, by name."""
        return sorted(
            (await self.catalog.refresh()).clients.values(), key=lambda client: client.name.casefold()
        )

    async def undelivered(self, client_id: str) -> Undelivered | None:
        """What the app could not be told of log-outs in the last 30 days; None when there is nothing."""
        return next((u for u in await self.store.messages.undelivered() if u.client_id == client_id), None)

    async def find(self, app: str) -> Client:
        """One app."""
        return find_client(await self.catalog.refresh(), app)

    @decided_anew
    async def change(
        self,
        app: str,
        change: Callable[[Client], Client],
        *,
        access: Sequence[str] = (),
    ) -> NewSecret:
        """Apply `change` to the app as it is now; `access` adds APIs or replaces what is allowed there. The result is checked as
        a whole. An app that is to prove itself in another way loses what it proved itself with, and gets a secret if it needs one."""
        catalog = await self.catalog.refresh()
        old = find_client(catalog, app)
        new = change(old)
        if access:
            new = structs.replace(new, access={**new.access, **_allowed(catalog, access)})
        if new == old:
            raise ManageRefused(f"Nothing would change about {old.name}.", f"doorward app show {old.name}")
        if new.name != old.name:
            new = structs.replace(new, name=text.name(new.name))
            if problem := registration.name_problem(new.name, prefix="app"):
                raise ManageRefused(problem)
            _refuse_taken(catalog, new.name, but=old.id)
        new = _credible(new, old)
        _check(new, native=_is_native(old) or not new.confidential)
        asking = [api.name for api in catalog.apis.values() if api.client_id == old.id]
        if asking and not new.confidential:
            raise ManageRefused(
                f"{old.name} is what {asking[0]} introspects as, so it must be able to prove itself.",
                f"doorward api introspect-as {quote(asking[0])} --none",
            )
        now = self.clock.now()
        new, secret = self._credentials(new, now)
        changed = [name for name in Client.__struct_fields__ if getattr(old, name) != getattr(new, name)]
        await self._put(catalog, new, "app.changed", now, {"changed": changed})
        return NewSecret(new, secret)

    async def add_redirect(self, app: str, uri: str) -> Client:
        """One more redirect URI."""

        def change(client: Client) -> Client:
            if uri in client.redirect_uris:
                raise ManageRefused(
                    f"{uri} is registered for {client.name} already.", f"doorward app show {client.name}"
                )
            if problem := registration.redirect_uri_problem(uri, native=_is_native(client)):
                raise ManageRefused(f"{uri}: {problem}")
            return structs.replace(client, redirect_uris=(*client.redirect_uris, uri))

        return (await self.change(app, change)).client

    @decided_anew
    async def rotate_secret(self, app: str, *, keep_old: int = 0) -> NewSecret:
        """A new secret. The old one goes now, or after `keep_old` seconds, so that a running app can be told in peace."""
        catalog = await self.catalog.refresh()
        client = find_client(catalog, app)
        if not client.secretive:
            raise ManageRefused(
                f"{client.name} has no secret: it authenticates with {client.auth_method}.",
                f"doorward app set {quote(client.name)} --auth-method client_secret gives it one.",
            )
        now = self.clock.now()
        secret, stored = self._new_secret(now)
        # two live at most: the newest of the old ones may stay for a while
        kept = [
            structs.replace(old, expires_at=min(old.expires_at or now + keep_old, now + keep_old))
            for old in client.secrets[-1:]
            if keep_old > 0 and (old.expires_at is None or old.expires_at > now)
        ]
        changed = structs.replace(client, secrets=(*kept, stored))
        await self._put(catalog, changed, "app.secret_rotated", now, {})
        return NewSecret(changed, secret)

    @decided_anew
    async def delete(self, app: str) -> Client:
        """The app; all its grants and tokens end now."""
        catalog = await self.catalog.refresh()
        client = find_client(catalog, app)
        now = self.clock.now()
        writes = self.ending.client(client.id, now=now, reason="app_deleted")
        for api in catalog.apis.values():
            if api.client_id == client.id:
                writes.append(self.store.registry.put_api(structs.replace(api, client_id=None)))
        writes.append(self.store.registry.delete_client(client.id))
        writes.append(self._audit("app.deleted", client, now, {"name": client.name}))
        await commit_as_read(self.store, self.catalog, catalog, *writes)
        return client

    def _credentials(self, client: Client, now: int) -> tuple[Client, Secret | None]:
        """With a secret, if the app proves itself by one and has none."""
        if not client.secretive or client.secrets:
            return client, None
        secret, stored = self._new_secret(now)
        return structs.replace(client, secrets=(stored,)), secret

    def _new_secret(self, now: int) -> tuple[Secret, ClientSecret]:
        text = SECRET_PREFIX + self.chance.token(32)
        return Secret(text), ClientSecret(hash=digest(text), created_at=now)

    async def _put(
        self, catalog: Catalog, client: Client, kind: str, now: int, detail: Mapping[str, str | list[str]]
    ) -> None:
        if await self.keys.ready(key_life.algorithms([client], [])):
            raise Overtaken
        put, audit = self.store.registry.put_client(client), self._audit(kind, client, now, detail)
        await commit_as_read(self.store, self.catalog, catalog, put, audit)

    def _audit(self, kind: str, client: Client, now: int, detail: Mapping[str, str | list[str]]) -> Write:
        return audit_write(self.store, self.chance, kind, now, client_id=client.id, detail=detail)


def _is_native(client: Client) -> bool:
    # The kind is not kept: an app that has a private-use scheme was registered as native, and a public app may be one.
    return not client.confidential or not all(is_web(uri) for uri in client.redirect_uris)


def _credible(new: Client, old: Client) -> Client:
    """Without the credentials of the way in which the app proves itself no more; a credential that nobody uses is a door that
    nobody watches. A public app always uses PKCE."""
    if new.auth_method == old.auth_method:
        return new
    return structs.replace(
        new,
        secrets=new.secrets if new.secretive else (),
        jwks=new.jwks if new.auth_method == "private_key_jwt" or new.jwks != old.jwks else None,
        pkce=new.pkce if new.confidential or new.pkce != old.pkce else "required",
    )


def _check(client: Client, *, native: bool) -> None:
    problem = registration.client_problem(client, native=native)
    if problem is not None:
        raise ManageRefused(problem)


def _refuse_taken(catalog: Catalog, name: str, *, but: str = "") -> None:
    for client in catalog.clients.values():
        if client.id != but and text.same_as(client.name) == text.same_as(name):
            raise ManageRefused(
                f"There is an app named {client.name} already.", f"doorward app show {client.name}"
            )


def _allowed(catalog: Catalog, access: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {identifier: tuple(names) for identifier, names in parse_access(catalog, access).items()}
