"""Administration of roles: create, find, update, delete."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from doorward.core import text
from doorward.core.model.actor import Actor
from doorward.core.model.config_snapshot import ConfigSnapshot, Role
from doorward.features.admin.access import parse_access
from doorward.features.admin.commit import ConfigAdmin
from doorward.features.admin.error import demand, refused
from doorward.features.admin.lookup import find_api, find_role
from doorward.features.admin.operation import operation
from doorward.features.oauth.clients.rules import registration


class RoleAdmin(ConfigAdmin, frozen=True, kw_only=True):
    """Roles are named by name or id. Every method raises `AdminError` on failure, and every change is audited."""

    @operation("roles.write")
    async def create(
        self,
        actor: Actor,
        name: str,
        *,
        permissions: Sequence[str],
        default: bool = False,
        second_factor: bool = False,
    ) -> Role:
        """Create a role with permissions, each given as `API:permission,permission` (no permissions: all that the API has now). A
        default role is assigned to every later sign-up; with `second_factor` its members need one."""
        config = await self.config.refresh()
        name = _new_name(config, name)
        held = parse_access(config, permissions)
        role_id = self.random.new_id("rol")
        role = Role(
            id=role_id,
            name=name,
            permissions=held,
            created_at=self.clock.now(),
            default=default,
            key=role_id,
            second_factor=second_factor,
        )
        demands = [await self._demand_this_program()] if second_factor else []
        put = self.store.registry.put_role(role)
        await self._commit(actor, "role.created", config, put, *demands, role=name)
        return role

    @operation("roles.read")
    async def find(self, actor: Actor) -> Sequence[Role]:
        """All roles, by name."""
        return sorted((await self.config.refresh()).roles.values(), key=lambda role: role.name.casefold())

    @operation("roles.read")
    async def get(self, actor: Actor, role: str) -> Role:
        """One role."""
        return find_role(await self.config.refresh(), role)

    @operation("roles.write")
    async def update(
        self,
        actor: Actor,
        role: str,
        *,
        name: str | None = None,
        allow: Sequence[str] = (),
        disallow: Sequence[str] = (),
        default: bool | None = None,
        second_factor: bool | None = None,
    ) -> Role:
        """`allow` adds an API, or replaces its permissions; `disallow` removes APIs. Members of the role get the change with their next
        token, and stay members under a new `name`."""
        config = await self.config.refresh()
        old = find_role(config, role)
        permissions = dict(old.permissions)
        for api in (find_api(config, named) for named in disallow):
            if permissions.pop(api.identifier, None) is None:
                raise refused("role_without_api", role=old.name, api=api.name)
        permissions |= parse_access(config, allow)
        new = structs.replace(
            old,
            name=old.name if name is None else _new_name(config, name, but=old),
            permissions=permissions,
            default=old.default if default is None else default,
            # memberships refer to this key, so it stays the old one
            key=old.held_as,
            second_factor=old.second_factor if second_factor is None else second_factor,
        )
        if structs.replace(new, key=old.key) == old:
            raise refused("unchanged", noun="role", name=old.name)
        demands = [await self._demand_this_program()] if new.second_factor > old.second_factor else []
        before, after = _each(old), _each(new)
        await self._commit(
            actor,
            "role.changed",
            config,
            self.store.registry.put_role(new),
            *demands,
            role=new.name,
            was=old.name,
            default="yes" if new.default else "no",
            second_factor="yes" if new.second_factor else "no",
            added=[one for one in after if one not in before],
            removed=[one for one in before if one not in after],
        )
        return new

    @operation("roles.write")
    async def delete(self, actor: Actor, role: str) -> Role:
        """Delete the role. Its permissions are missing from the members' next tokens; a later role of the same name has no members."""
        config = await self.config.refresh()
        found = find_role(config, role)
        delete = self.store.registry.delete_role(found.id)
        await self._commit(actor, "role.deleted", config, delete, role=found.name)
        return found


def _new_name(config: ConfigSnapshot, given: str, *, but: Role | None = None) -> str:
    name = text.name(given)
    demand(registration.role_problem(name))
    for other in config.roles.values():
        if other != but and text.same_as(other.name) == text.same_as(name):
            raise refused("role_name_taken", name=other.name)
    return name


def _each(role: Role) -> list[str]:
    return [f"{api}:{name}" for api, names in role.permissions.items() for name in names]
