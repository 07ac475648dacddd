"""Trial of a directory as the next sign-in would use it, for `doorward directory test` and `doorward doctor`. Nobody is signed in."""

from __future__ import annotations

import datetime as dt
from typing import Final

from msgspec import Struct

from doorward.adapters.ldap.target import DirectoryUnavailable
from doorward.features.authn.directories.client import Directory
from doorward.features.authn.directories.rules.lockout import tries
from doorward.features.authn.directories.rules.names import takes, typed_name

LARGEST_SKEW: Final = 300
"""Seconds by which its clock may differ: the ends of accounts are compared with ours."""
_MOST: Final = 100_000


class DirectoryFindings(Struct, frozen=True):
    """`problem`: why people cannot sign in by it; None: they can. `people`: how many it has, counted up to a limit."""

    problem: str | None = None
    people: int = 0
    warnings: tuple[str, ...] = ()


class PersonFindings(Struct, frozen=True):
    """What the directory says of somebody who types this name."""

    dn: str
    uid: str
    names: tuple[str, ...]
    email: str | None
    name: str | None
    active: bool
    groups: tuple[str, ...]
    roles: tuple[str, ...]


async def examine_directory(directory: Directory) -> DirectoryFindings:
    """Connect, begin TLS, bind as the service account, and count the people under the base."""
    policy = directory.policy
    try:
        people = await directory.count(most=_MOST)
        skew = await _skew(directory)
        groups = await directory.group_count() if policy.roles else None
    except DirectoryUnavailable as problem:
        return DirectoryFindings(problem=str(problem))
    if not people:
        return DirectoryFindings(
            problem=f"nobody is found under {policy.base_dn} by {policy.people}; check base_dn, person_filter and the rights of bind_dn"
        )
    warnings: list[str] = []
    if skew is not None and abs(skew) > LARGEST_SKEW:
        warnings.append(f"its clock differs from this machine's by {skew} s")
    if groups == 0:
        warnings.append("no group is found, so nobody gets a role by one; check group_base and group_filter")
    if not policy.email_domains:
        warnings.append("it is trusted for no address (email_domains), so its people have none here")
    if not policy.lockout_threshold:
        warnings.append("lockout_threshold is 0: right only if the directory itself locks no account")
    return DirectoryFindings(people=people, warnings=tuple(warnings))


async def examine_person(directory: Directory, name: str) -> PersonFindings | None:
    """The person who would sign in by this name; None for nobody. Raises `DirectoryUnavailable`."""
    typed = typed_name(name)
    person = await directory.find(typed) if typed is not None and takes(directory.policy, typed) else None
    if person is None:
        return None
    return PersonFindings(
        dn=person.dn,
        uid=person.uid,
        names=person.names,
        email=person.email,
        name=person.name,
        active=person.active,
        groups=tuple(sorted(await directory.groups(person))),
        roles=tuple(sorted(await directory.roles(person))),
    )


def allowed_tries(directory: Directory) -> str:
    """The wrong passwords that the directory gets to see of one person, in words."""
    policy = directory.policy
    if not policy.lockout_threshold:
        return "not limited beyond [throttle]"
    known, others = tries(policy.lockout_threshold)
    minutes = policy.lockout_window // 60
    return f"{others} in {others * minutes} minutes, and {known} in {known * minutes} from devices known to the person"


async def _skew(directory: Directory) -> int | None:
    """By how many seconds its clock is ahead, where it tells the time (Active Directory: MS-ADTS §3.1.1.3.2.5)."""
    told = await directory.current_time()
    try:
        then = dt.datetime.strptime(f"{told[:14]}+0000", "%Y%m%d%H%M%S%z")
    except ValueError:
        return None
    return int(then.timestamp()) - directory.clock.now()
