"""Administration of APIs: create, find, update, choose the app that introspects for one, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Final

from msgspec import structs

from doorward.core import text
from doorward.core.model.actor import Actor
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import Api, ConfigSnapshot, Permission, TokenType
from doorward.features.admin.commit import ConfigAdmin
from doorward.features.admin.error import demand, refused
from doorward.features.admin.lookup import find_api, find_client
from doorward.features.admin.operation import Overtaken, operation
from doorward.features.oauth.clients.rules import registration, resource
from doorward.features.signing_keys import rules as key_life
from doorward.features.signing_keys.rotation import KeyRotation
from doorward.storage.sql.store import Write

PAGE: Final = 500


class ApiAdmin(ConfigAdmin, frozen=True, kw_only=True):
    """APIs are named by identifier, name or id. Every method raises `AdminError` on failure, and every change is audited."""

    issuer: str
    rotation: KeyRotation

    @operation("apis.write")
    async def create(
        self,
        actor: Actor,
        identifier: str,
        *,
        name: str | None,
        permissions: Sequence[Permission],
        signing_alg: SigningAlgorithm | None = None,
        token_type: TokenType = "at+jwt",
    ) -> Api:
        """Register an API. `identifier` is the value of `resource` and `aud`; without `name` it is the name too."""
        config = await self.config.refresh()
        demand(registration.identifier_problem(identifier))
        if name is not None:
            name = text.name(name)
            demand(registration.name_problem(name, prefix="api"))
        for permission in permissions:
            demand(registration.permission_problem(permission.name))
        if resource.same(identifier, self.issuer):
            raise refused("identifier_of_server", identifier=identifier)
        _each_once([permission.name for permission in permissions])
        shown = name or identifier
        for api in config.apis.values():
            if resource.same(api.identifier, identifier) or text.same_as(api.name) == text.same_as(shown):
                raise refused("api_taken", name=api.name, identifier=api.identifier)
        api = Api(
            id=self.random.new_id("api"),
            identifier=identifier,
            name=shown,
            permissions=tuple(permissions),
            created_at=self.clock.now(),
            signing_alg=signing_alg,
            token_type=token_type,
        )
        if await self.rotation.ensure(key_life.algorithms([], [api]), actor=actor):
            raise Overtaken
        await self._put(actor, "api.created", config, api)
        return api

    @operation("apis.read")
    async def find(self, actor: Actor) -> Sequence[Api]:
        """All APIs, by name."""
        return sorted((await self.config.refresh()).apis.values(), key=lambda api: api.name.casefold())

    @operation("apis.read")
    async def get(self, actor: Actor, api: str) -> Api:
        """One API."""
        return find_api(await self.config.refresh(), api)

    @operation("apis.write")
    async def update(
        self,
        actor: Actor,
        api: str,
        change: Callable[[Api], Api],
        *,
        permissions: Sequence[Permission] = (),
        without: Sequence[str] = (),
    ) -> Api:
        """Apply `change` to the current API (name, signing and type of its access tokens). `permissions` are added, or get another
        description; an API that is open names which of them are. Those in `without` are removed, also from apps and roles: a later permission of the same name is a different
        one."""
        config = await self.config.refresh()
        old = find_api(config, api)
        new = _with_permissions(change(old), permissions, without)
        new = _open(new, old)
        if new.name != old.name:
            new = structs.replace(new, name=_new_name(config, new.name, old))
        if new == old:
            raise refused("unchanged", noun="api", name=old.name)
        if await self.rotation.ensure(key_life.algorithms([], [new]), actor=actor):
            raise Overtaken
        changed = [name for name in Api.__struct_fields__ if getattr(old, name) != getattr(new, name)]
        was, now = [{permission.name for permission in one.permissions} for one in (old, new)]
        await self._put(
            actor,
            "api.changed",
            config,
            new,
            *self._narrowed(config, old.identifier, was - now),
            *await self._narrowed_registered(old.identifier, was - now),
            changed=changed,
            added=sorted(now - was),
            removed=sorted(was - now),
        )
        return new

    @operation("apis.write")
    async def set_introspecting_app(self, actor: Actor, api: str, app: str | None) -> Api:
        """Set the app whose credential the API uses at /introspect; None: no app."""
        config = await self.config.refresh()
        found = find_api(config, api)
        client = find_client(config, app) if app is not None else None
        if client is not None and not client.confidential:
            raise refused("app_not_confidential", app=client.name)
        changed = structs.replace(found, client_id=client.id if client else None)
        await self._put(actor, "api.changed", config, changed, introspects_as=client.id if client else "")
        return changed

    @operation("apis.write")
    async def delete(self, actor: Actor, api: str) -> Api:
        """Delete the API, and every app's and role's access to it. Tokens for it expire by themselves; no new one is issued."""
        config = await self.config.refresh()
        found = find_api(config, api)
        await self._commit(
            actor,
            "api.deleted",
            config,
            *self._narrowed(config, found.identifier, None),
            *await self._narrowed_registered(found.identifier, None),
            self.store.registry.delete_api(found.id),
            client_id=found.client_id,
            api=found.identifier,
        )
        return found

    def _narrowed(self, config: ConfigSnapshot, identifier: str, gone: Set[str] | None) -> list[Write]:
        """Writes that remove these permissions at one API from apps and roles; None: the whole API."""
        writes: list[Write] = []
        for client in config.clients.values():
            access = _without(client.access, identifier, gone)
            if access != client.access:
                writes.append(self.store.registry.put_client(structs.replace(client, access=access)))
        for role in config.roles.values():
            permissions = _without(role.permissions, identifier, gone)
            if permissions != role.permissions:
                writes.append(self.store.registry.put_role(structs.replace(role, permissions=permissions)))
        return writes

    async def _narrowed_registered(self, identifier: str, gone: Set[str] | None) -> list[Write]:
        """The same for apps that registered themselves with an initial access token, and for these tokens."""
        if gone is not None and not gone:
            return []
        writes: list[Write] = []
        registered, after = self.store.registered_apps, ""
        while apps := await registered.page(after=after, limit=PAGE):
            after = apps[-1].id
            for app in apps:
                access = _without(app.client.access, identifier, gone)
                if access != app.client.access:
                    writes.append(registered.replace(structs.replace(app.client, access=access)))
        for token in await registered.tokens():
            access = _without(token.access, identifier, gone)
            if access != token.access:
                writes.append(registered.set_token_access(token.id, access))
        return writes

    async def _put(
        self,
        actor: Actor,
        kind: str,
        read: ConfigSnapshot,
        api: Api,
        *writes: Write,
        **detail: str | list[str],
    ) -> None:
        put, said = self.store.registry.put_api(api), {"api": api.identifier, **detail}
        await self._commit(actor, kind, read, put, *writes, client_id=api.client_id, **said)


def _without(
    held: Mapping[str, tuple[str, ...]], identifier: str, gone: Set[str] | None
) -> dict[str, tuple[str, ...]]:
    if gone is None:
        return {api: names for api, names in held.items() if api != identifier}
    return {
        api: tuple(name for name in names if name not in gone) if api == identifier else names
        for api, names in held.items()
    }


def _with_permissions(api: Api, permissions: Sequence[Permission], without: Sequence[str]) -> Api:
    held = {permission.name: permission for permission in api.permissions}
    _each_once([*(permission.name for permission in permissions), *without])
    for name in without:
        if held.pop(name, None) is None:
            raise refused("permission_unknown", api=api.name, permission=name, offered=tuple(held))
    for permission in permissions:
        known = held.get(permission.name)
        if known is None:
            demand(registration.permission_problem(permission.name))
        # an existing permission keeps its description when none is given
        held[permission.name] = known if known is not None and not permission.description else permission
    return structs.replace(api, permissions=tuple(held.values()))


def _open(new: Api, old: Api) -> Api:
    """The API with the open permissions that it has. Raises `AdminError` for one that it does not have, and for none."""
    offered = tuple(permission.name for permission in new.permissions)
    if new.open_permissions != old.open_permissions:
        for name in new.open_permissions:
            if name not in offered:
                raise refused("permission_unknown", api=new.name, permission=name, offered=offered)
    kept = tuple(name for name in dict.fromkeys(new.open_permissions) if name in offered)
    if new.open_to == "none":
        kept = ()
    elif not kept:
        raise refused("api_opens_nothing", api=new.name, offered=offered)
    return structs.replace(new, open_permissions=kept)


def _each_once(names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise refused("permission_repeated")


def _new_name(config: ConfigSnapshot, given: str, old: Api) -> str:
    name = text.name(given)
    demand(registration.name_problem(name, prefix="api"))
    for other in config.apis.values():
        if other.id != old.id and text.same_as(other.name) == text.same_as(name):
            raise refused("api_taken", name=other.name, identifier=other.identifier)
    return name
