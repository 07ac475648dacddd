"""The password of a directory in the sign-in flow: the page and the step of the password, and a proof of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.signin import Proof
from doorward.features.authn.directories.rules.proof import (
    KIND,
    TRAITS,
    directory_mark,
    rows_of,
    suspended,
)
from doorward.features.authn.directories.settings import DirectoryPolicies
from doorward.features.authn.flow.build import routed_domains
from doorward.features.authn.flow.held import HeldFactor
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import stands_by
from doorward.features.services import Services
from doorward.web.pages.words import N_


@final
class DirectoryFactor(FactorPlug, frozen=True, kw_only=True):
    """A first factor for those whom a directory of the settings has."""

    services: Services
    traits: FactorTraits = TRAITS
    path: str = "/sign-in"
    link: str = N_("Use your password")
    step: str = "password"
    kept_at_reset: bool = True

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the person is connected with a directory that has not said that they are gone. False where the domain of their address
        signs in at a provider alone."""
        held = any(not suspended(row) for row in self._offered(rows))
        return held and self.services.get(routed_domains).only(account.email) is None

    def keeps_password(self, rows: Sequence[EnrolledFactor]) -> bool:
        """True for everybody who is connected: this server then stores no password for them."""
        return bool(self._offered(rows))

    async def held(self, account: Account, rows: Sequence[EnrolledFactor]) -> Sequence[HeldFactor]:
        """The connection under the label of its directory, as operators see it."""
        del account
        policies = self.services.sections.of(DirectoryPolicies).by_name
        labels = {directory_mark(name): policy.label for name, policy in policies.items()}
        return [
            HeldFactor(id=row.id, kind=KIND, added_at=row.created_at, name=labels[row.code_hash])
            for row in self._offered(rows)
            if row.code_hash is not None
        ]

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the connection is still there, and its directory in the settings (R94)."""
        del account
        return stands_by(proof, [row for row in self._offered(rows) if not suspended(row)], {KIND})

    def _offered(self, rows: Sequence[EnrolledFactor]) -> list[EnrolledFactor]:
        return rows_of(rows, self.services.sections.of(DirectoryPolicies).by_name)


def directory_factors(services: Services) -> tuple[FactorPlug, ...]:
    """None where the settings name no directory."""
    return (DirectoryFactor(services=services),) if services.sections.of(DirectoryPolicies).by_name else ()
