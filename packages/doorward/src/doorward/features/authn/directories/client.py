"""One directory: search for people, check of passwords by a bind, and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

from msgspec import Struct, field

from doorward.adapters.ldap.pool import LdapPool
from doorward.adapters.ldap.target import DirectoryUnavailable
from doorward.adapters.logs import logger
from doorward.core.model.directory import DirectoryPerson, LdapEntry
from doorward.core.model.secret import Secret
from doorward.core.ports.clock import Clock
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.directories.rules.answers import Verdict, verdict
from doorward.features.authn.directories.rules.groups import (
    MEMBERS,
    closure,
    direct_filter,
    mapped_roles,
    parents,
    same_dn,
)
from doorward.features.authn.directories.rules.names import TypedName, lookups, name_filter, the_one
from doorward.features.authn.directories.rules.person import person_attributes, read_person, uid_filter
from doorward.features.authn.directories.settings import DirectoryPolicy

AT_ONCE: Final = 100
"""The most identities of one search."""
MOST_GROUPS: Final = 20_000
_SEVERAL: Final = 5
_KEPT: Final = 60
"""Seconds for which the memberships of groups in groups are kept."""
_log = logger("directory")


@final
class Directory(Struct, kw_only=True, eq=False):
    """One object for each directory and process. Every method raises `DirectoryUnavailable`."""

    name: str
    policy: DirectoryPolicy
    pool: LdapPool
    clock: Clock
    random: SecureRandom
    _above: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    _above_at: int | None = None

    async def find(self, name: TypedName) -> DirectoryPerson | None:
        """The person who signs in by this name. None for nobody, and where it is open who of several is meant."""
        asked = lookups(self.policy, name)
        found = await self._people(name_filter(self.policy, asked), most=_SEVERAL)
        entry = the_one(found, asked)
        if entry is None:
            if found:
                _log.warning("ldap.ambiguous", directory=self.name, entries=len(found))
            return None
        return read_person(entry, self.policy, self.clock.now())

    async def by_uids(self, uids: Sequence[str]) -> Mapping[str, DirectoryPerson]:
        """Those who are there, by their identity; at most `AT_ONCE` are asked for. Who is missing is gone, so an answer that the server
        cut is none."""
        if not uids:
            return {}
        found = await self._people(uid_filter(self.policy, list(uids)), most=2 * AT_ONCE, whole=True)
        people = [read_person(entry, self.policy, self.clock.now()) for entry in found]
        return {person.uid: person for person in people if person is not None}

    async def check(self, person: DirectoryPerson | None, password: Secret) -> Verdict:
        """Bind as the person. For nobody, and for a password that no bind may carry, another bind is made that fails, so that it takes
        as long (R80)."""
        secret = password.reveal()
        usable = person is not None and secret and "\0" not in secret and _encodable(secret)
        if person is not None and usable:
            return verdict(await self.pool.bind(person.dn, password))
        decoy = f"cn={self.random.token()},{self.policy.base_dn}"
        answer = verdict(await self.pool.bind(decoy, Secret(self.random.token())))
        return "unavailable" if answer == "unavailable" else "wrong"

    async def roles(self, person: DirectoryPerson) -> frozenset[str]:
        """The names of the roles that the person's groups give, by at most two searches."""
        if not self.policy.roles:
            return frozenset()
        return mapped_roles(self.policy, await self.groups(person))

    async def groups(self, person: DirectoryPerson) -> frozenset[str]:
        """The groups of a person, and the groups around them."""
        direct = await self._groups(direct_filter(self.policy, person.dn), ())
        held = [same_dn(group.dn) for group in direct]
        if self.policy.active_directory or not self.policy.nested_groups or not held:
            return frozenset(held)
        return closure(held, await self._parents())

    async def count(self, *, most: int) -> int:
        """How many people there are, page by page; at most `most`."""
        found = await self.pool.search(self.policy.base_dn, self.policy.people, [self.policy.key], most=most)
        return len(found)

    async def group_count(self) -> int:
        """How many groups there are."""
        return len(await self._groups(self.policy.groups, ()))

    async def current_time(self) -> str:
        """The time of its clock as it says it, "" where it does not."""
        found = await self.pool.search("", "(objectClass=*)", ["currentTime"], most=1, only_base=True)
        return found[0].text("currentTime") if found else ""

    async def _parents(self) -> Mapping[str, Sequence[str]]:
        now = self.clock.now()
        if self._above_at is None or not 0 <= now - self._above_at < _KEPT:
            self._above = parents(await self._groups(self.policy.groups, MEMBERS))
            self._above_at = now
        return self._above

    async def _people(self, query: str, *, most: int, whole: bool = False) -> list[LdapEntry]:
        attributes = person_attributes(self.policy)
        return await self.pool.search(self.policy.base_dn, query, attributes, most=most, whole=whole)

    async def _groups(self, query: str, attributes: Sequence[str]) -> list[LdapEntry]:
        base = self.policy.group_base or self.policy.base_dn
        found = await self.pool.search(base, query, attributes or ["1.1"], most=MOST_GROUPS + 1)
        if len(found) > MOST_GROUPS:
            raise DirectoryUnavailable(
                f"it has more than {MOST_GROUPS} groups under {base}; name a smaller group_base"
            )
        return found


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeError:
        return False
    return True
