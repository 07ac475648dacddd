"""Directories as a source of passwords: the search for the person, and a bind in their name (RFC 4513 §5.1.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, final

from msgspec import Struct

from doorward.adapters.ldap.target import DirectoryUnavailable
from doorward.adapters.logs import logger
from doorward.core.errors import OAuthError
from doorward.core.model.bucket import Bucket
from doorward.core.model.directory import DirectoryPerson
from doorward.core.model.provider import ExternalIdentity
from doorward.core.ports.metrics import Metrics
from doorward.features.authn.directories.client import Directory
from doorward.features.authn.directories.people import DirectoryPeople, profile, shown_name
from doorward.features.authn.directories.problems import PROBLEMS, refusal
from doorward.features.authn.directories.rules.answers import Verdict
from doorward.features.authn.directories.rules.lockout import lockout_bucket
from doorward.features.authn.directories.rules.names import TypedName, takes, typed_name
from doorward.features.authn.directories.rules.proof import KIND, TRAITS, directory_mark, proof_of
from doorward.features.authn.directories.settings import DirectoryPolicy, directory_issuer, directory_of
from doorward.features.authn.directories.views import DirectoryProblem
from doorward.features.authn.flow.password_source import PasswordAsked, ProvenPassword
from doorward.features.authn.flow.proving import DISABLED, too_many
from doorward.features.authn.flow.rules.routing import DomainRoutes
from doorward.features.authn.flow.waiting_person import AddressRequired, WaitingPerson
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store
from doorward.web.pages.views.said import Said

_AFTER_A_RIGHT_PASSWORD: Final[Mapping[Verdict, DirectoryProblem]] = {
    "disabled": DirectoryProblem.DISABLED,
    "expired": DirectoryProblem.EXPIRED,
    "must_change": DirectoryProblem.MUST_CHANGE,
}
_log = logger("directory")


class DirectoryMatch(Struct, frozen=True):
    """Where a name was looked for, and who has it there. `down`: why a directory that may have the name did not answer."""

    directory: Directory
    person: DirectoryPerson | None
    identity: ExternalIdentity | None
    down: DirectoryUnavailable | None = None


@final
class DirectoryPasswords(Struct, frozen=True, kw_only=True):
    """A password is sent to one directory only: the one that has the person, and only in their name. Tries are counted before the bind,
    so that they stay below the number at which the directory locks its account."""

    store: Store
    directories: Mapping[str, Directory]
    people: DirectoryPeople
    throttle: Throttle
    metrics: Metrics
    routes: DomainRoutes

    @property
    def problems(self) -> Mapping[str, Said]:
        """What is said after a right password, and while a directory is down."""
        return PROBLEMS

    async def owner(self, who: str) -> str | None:
        """The account whose owner typed this name when they signed in last."""
        found = await self.store.external_identities.by_typed_name(who)
        known = self._policies()
        mine = {one.account_id for one in found if directory_of(one.issuer, known) is not None}
        return mine.pop() if len(mine) == 1 else None

    async def check(self, asked: PasswordAsked) -> ProvenPassword | OAuthError | None:
        """The same search, count and bind for every name that a directory may know (R80)."""
        try:
            place = await self.verified(asked)
            if not isinstance(place, DirectoryMatch) or place.person is None:
                return None if isinstance(place, DirectoryMatch) else place
            return await self._signed_in(place.directory, place.person, place.identity, asked)
        except DirectoryUnavailable as problem:
            return self.unavailable(problem)

    async def verified(self, asked: PasswordAsked) -> DirectoryMatch | OAuthError | None:
        """Who showed the right password; nobody is signed in. While one of several directories is down, whatever is no success is answered
        as if all were: else the answer would tell the names of those that are up from others (R80). Raises `DirectoryUnavailable`."""
        place = await self._place(asked)
        if place is None:
            return None
        directory, person, identity = place.directory, place.person, place.identity
        account_id = identity.account_id if identity is not None else None
        bucket = await self._bucket(place, asked, account_id)
        if bucket is not None and (wait := await self.throttle.take((bucket,), asked.now)) is not None:
            return too_many(wait, "as many as the directory allows")
        answer = await directory.check(person, asked.password)
        if answer == "unavailable":
            return refusal(DirectoryProblem.UNAVAILABLE)
        if person is None or answer == "wrong":
            if place.down is not None:
                raise place.down
            return None
        cleared = (bucket,) if bucket is not None else ()
        await self.throttle.forget(cleared)
        await self.store.commit(*self.throttle.clear(cleared))
        if answer != "right":
            return refusal(_AFTER_A_RIGHT_PASSWORD[answer])
        return place if person.active else refusal(DirectoryProblem.DISABLED)

    def unavailable(self, problem: DirectoryUnavailable) -> OAuthError:
        """The refusal while a directory does not answer, which is logged and counted."""
        _log.warning("ldap.failed", directory=", ".join(self.directories), reason=str(problem))
        self.metrics.inc("sign_ins", "directory_unavailable")
        return refusal(DirectoryProblem.UNAVAILABLE)

    async def _signed_in(
        self,
        directory: Directory,
        person: DirectoryPerson,
        identity: ExternalIdentity | None,
        asked: PasswordAsked,
    ) -> ProvenPassword | OAuthError | None:
        known = None if identity is None else await self.store.accounts.get(identity.account_id)
        if self.routes.only(known.email if known is not None else person.email) is not None:
            # found by another name than the address of the domain: like a wrong password
            return None
        roles = await directory.roles(person)
        asks = directory.policy.address == "required"
        if identity is None and asks and person.email is None and directory.policy.sign_up:
            return await self._address_first(directory, person, None, roles, asked)
        if identity is None:
            made = await self.people.first_time(
                directory, person, who=asked.who, caller=asked.caller, now=asked.now
            )
            if isinstance(made, DirectoryProblem):
                return refusal(made)
            identity = made
        account, row = await self.store.accounts.get(identity.account_id), await self.people.row(identity)
        if account is None or row is None:
            return None
        account = await self.people.brought_up_to_date(
            account, row, identity, person, roles=roles, caller=asked.caller, now=asked.now
        )
        if account is None:
            return refusal(DirectoryProblem.UNAVAILABLE)
        if account.disabled_at is not None:
            return OAuthError("access_denied", DISABLED, "disabled")
        # who only confirms a change is not held up
        if account.email is None and asks and not asked.known and await self.people.alone_here():
            return await self._address_first(directory, person, identity, roles, asked)
        return ProvenPassword(
            account=account,
            proof=proof_of(row, asked.now),
            # fails if the connection was ended in this moment
            writes=(self.store.external_identities.signed_in_as(row.id, asked.who, asked.now),),
        )

    async def _address_first(
        self,
        directory: Directory,
        person: DirectoryPerson,
        known: ExternalIdentity | None,
        roles: frozenset[str],
        asked: PasswordAsked,
    ) -> OAuthError:
        """The person proves an address before anything else. `known`: the identity of an account that has none."""
        if not await self.people.alone_here():
            # an older program, which has no pages for that, still answers
            return refusal(DirectoryProblem.UNAVAILABLE)
        return AddressRequired.of(
            WaitingPerson(
                by="directory",
                source=directory.name,
                label=directory.policy.label,
                kind=KIND,
                mark=directory_mark(directory.name),
                issuer=directory_issuer(directory.name),
                subject=person.uid,
                shown=shown_name(person),
                typed_as=asked.who,
                stated=person.stated,
                profile=profile(person),
                roles=tuple(sorted(roles)),
                proof=TRAITS.kind,
                amr=TRAITS.amr,
                at=asked.now,
                account_id=known.account_id if known is not None else "",
                factor_id=known.factor_id if known is not None else "",
            )
        )

    async def _place(self, asked: PasswordAsked) -> DirectoryMatch | None:
        """The directory that has the person. Every directory that may know the name is searched, whoever has it, and one gets a bind, if
        only of a decoy: so that known and unknown names cost the same, also while one of them is down (R80).

        Nobody is taken from a directory that comes after one that is down: that one may have somebody of the same name, whose password
        would then be sent elsewhere. Raises `DirectoryUnavailable` where none answers."""
        known = None if asked.account is None else await self._connection(asked.account.id)
        if asked.known and known is None:
            # the entry with their address is not theirs until they have connected it
            return None
        name = typed_name(asked.identifier)
        own = None if known is None else self.directories[known[0]]
        places = [
            one
            for one in self.directories.values()
            if one is own or (not asked.known and name is not None and takes(one.policy, name))
        ]
        if not places:
            return None
        wanted = [known[1] if known is not None and one is own else name for one in places]
        found = await asyncio.gather(*(_found(one, who) for one, who in zip(places, wanted, strict=True)))
        down = next((one for one in found if isinstance(one, DirectoryUnavailable)), None)
        up = [
            one for one, seen in zip(places, found, strict=True) if not isinstance(seen, DirectoryUnavailable)
        ]
        for directory, seen in zip(places, found, strict=True):
            if own is not None and directory is not own:
                continue
            if isinstance(seen, DirectoryUnavailable):
                break
            if seen is not None:
                identity = known[1] if known is not None else await self.people.identity(directory, seen)
                return DirectoryMatch(directory, seen, identity, down)
        if down is not None and not up:
            raise down
        decoy = own if own is not None and own in up else up[0]
        return DirectoryMatch(decoy, None, None if known is None else known[1], down)

    async def _connection(self, account_id: str) -> tuple[str, ExternalIdentity] | None:
        """The directory of a connected account, and its identity there: it is looked up by that, so that a changed name or address makes no
        difference."""
        for identity in await self.store.external_identities.of_account(account_id):
            name = directory_of(identity.issuer, self._policies())
            if name is not None:
                return name, identity
        return None

    async def _bucket(
        self, place: DirectoryMatch, asked: PasswordAsked, account_id: str | None
    ) -> Bucket | None:
        policy = place.directory.policy
        known = await self.throttle.known(asked.caller.devices, account_id)
        return lockout_bucket(
            place.directory.name,
            place.person.uid if place.person is not None else asked.who,
            threshold=policy.lockout_threshold,
            window=policy.lockout_window,
            known=known is not None,
            tag=self.throttle.tag,
        )

    def _policies(self) -> Mapping[str, DirectoryPolicy]:
        return {name: one.policy for name, one in self.directories.items()}


async def _found(
    directory: Directory, who: TypedName | ExternalIdentity | None
) -> DirectoryPerson | DirectoryUnavailable | None:
    try:
        if isinstance(who, ExternalIdentity):
            return (await directory.by_uids([who.subject])).get(who.subject)
        return None if who is None else await directory.find(who)
    except DirectoryUnavailable as problem:
        return problem
