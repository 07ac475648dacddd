"""Roles that an import gives: found by name, or created without permissions."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from doorward.core.model.actor import Actor
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.problem import Problem
from doorward.features.admin.error import AdminError, refused
from doorward.features.admin.lookup import find_role
from doorward.features.admin.roles import RoleAdmin

MOST_CREATED: Final = 100
"""Roles that one import may create: every process holds them all in memory."""


class ImportedRoles(Struct, kw_only=True):
    """`dry`: nothing is created."""

    admin: RoleAdmin
    config: ConfigSnapshot
    create: bool
    dry: bool
    created: list[str] = field(default_factory=list[str])
    _known: dict[str, str | Problem] = field(default_factory=dict[str, "str | Problem"])

    async def held(self, actor: Actor, names: tuple[str, ...] | None) -> tuple[str, ...] | Problem:
        """The roles as accounts hold them, the default ones for None; or the problem with the first that there is not."""
        if names is None:
            return tuple(role.held_as for role in self.config.roles.values() if role.default)
        found: list[str] = []
        for name in names:
            if name not in self._known:
                self._known[name] = await self._find(actor, name)
            held = self._known[name]
            if isinstance(held, Problem):
                return held
            found.append(held)
        return tuple(dict.fromkeys(found))

    async def _find(self, actor: Actor, name: str) -> str | Problem:
        try:
            return find_role(self.config, name).held_as
        except AdminError as error:
            if error.problem.code != "not_found":
                return error.problem
        if not self.create or len(self.created) >= MOST_CREATED:
            return refused("import_role_unknown", role=name[:100]).problem
        if self.dry:
            self.created.append(name)
            return name
        try:
            role = await self.admin.create(actor, name, permissions=())
        except AdminError as error:
            return error.problem
        self.created.append(role.name)
        return role.held_as
