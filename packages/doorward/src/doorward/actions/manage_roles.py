"""What an operator does with roles: create, list, delete. All audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doorward.actions.manage_access import parse_access
from doorward.actions.manage_commit import audit_write, commit_as_read, decided_anew
from doorward.actions.manage_lookup import find_role
from doorward.actions.manage_refused import ManageRefused
from doorward.model.catalog import Role
from doorward.ports.catalog import CatalogSource
from doorward.ports.chance import Chance
from doorward.ports.clock import Clock
from doorward.ports.store import Store, Write
from doorward.rules.identify import text
from doorward.rules.permit import registration


@dataclass(frozen=True, slots=True)
class ManageRoles:
    """Roles are named by name or id. Every method raises `ManageRefused` when it cannot be done."""

    store: Store
    catalog: CatalogSource
    chance: Chance
    clock: Clock

    @decided_anew
    async def create(self, name: str, *, permissions: Sequence[str], default: bool = False) -> Role:
        """A role that holds permissions, each given as `API:permission,permission` (none named: all that the API has now). A default role is given to
        everybody who signs up from now on."""
        catalog = await self.catalog.refresh()
        name = text.name(name)
        if problem := registration.role_problem(name):
            raise ManageRefused(problem)
        for other in catalog.roles.values():
            if text.same_as(other.name) == text.same_as(name):
                raise ManageRefused(f"There is a role {other.name} already.", "doorward role list")
        held = {identifier: tuple(names) for identifier, names in parse_access(catalog, permissions).items()}
        now = self.clock.now()
        role = Role(
            id=self.chance.new_id("rol"), name=name, permissions=held, created_at=now, default=default
        )
        await commit_as_read(
            self.store,
            self.catalog,
            catalog,
            self.store.registry.put_role(role),
            self._audit("role.created", role, now),
        )
        return role

    async def listed(self) -> Sequence[Role]:
        """All roles, by name."""
        return sorted((await self.catalog.refresh()).roles.values(), key=lambda role: role.name.casefold())

    @decided_anew
    async def find(self, given: str) -> Role:
        """One, by name or id. Raises `ManageRefused`."""
        return find_role(await self.catalog.refresh(), given)

    async def delete(self, name: str) -> Role:
        """The role; nobody gets its permissions with their next token. Its name on a person means nothing any more."""
        catalog = await self.catalog.refresh()
        role = find_role(catalog, name)
        now = self.clock.now()
        await commit_as_read(
            self.store,
            self.catalog,
            catalog,
            self.store.registry.delete_role(role.id),
            self._audit("role.deleted", role, now),
        )
        return role

    def _audit(self, kind: str, role: Role, now: int) -> Write:
        return audit_write(self.store, self.chance, kind, now, detail={"role": role.name})
