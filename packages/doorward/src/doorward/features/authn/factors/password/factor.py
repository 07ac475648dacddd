"""The password as a factor of the sign-in flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.addresses.build import prove_address
from doorward.features.authn.factors.password import routes as sign_in
from doorward.features.authn.factors.password.rules import proof as rule
from doorward.features.authn.factors.password.service import CheckPassword
from doorward.features.authn.flow.factor import JsonStep
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.slots import FinishedReset
from doorward.features.services import Services
from doorward.features.sessions.browser_context import BrowserPages
from doorward.storage.sql.store import Write
from doorward.web.pages.words import N_
from doorward.web.route import Route

_NO_USERNAME: Final = OAuthError("invalid_request", "username is missing.")


@final
class PasswordStep(JsonStep, frozen=True, kw_only=True):
    """The step with `username` and `password` in the JSON sign-in."""

    proving: CheckPassword
    name: str = "password"
    field: str = "password"

    async def prove(
        self, sign_in: SignIn, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> SignIn | OAuthError:
        """The same proof as on the page."""
        if "username" not in params:
            return _NO_USERNAME
        password = Secret(params["password"])
        return await self.proving.prove(sign_in, params["username"], password, caller=caller, now=now)

    async def prove_new(
        self, sign_in: SignIn, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> tuple[SignIn, list[Write]] | OAuthError:
        """Most sign-ins end in this call, so their start and end share one commit."""
        if "username" not in params:
            return _NO_USERNAME
        password = Secret(params["password"])
        return await self.proving.prove_new(sign_in, params["username"], password, caller=caller, now=now)


@final
class PasswordFactor(FactorPlug, frozen=True, kw_only=True):
    """The factor with which most sign-ins begin."""

    services: Services
    prove_password: CheckPassword
    resets: Sequence[FinishedReset]
    traits: FactorTraits = rule.TRAITS
    path: str = sign_in.PATH
    link: str = N_("Use your password")
    step: str = "password"

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """The page that asks for address and password."""
        on = sign_in.SignInPage(
            flow=flow,
            prove_password=self.prove_password,
            resets=self.resets,
            # built with all factors, of which this is one
            addresses=self.services.get(prove_address),
        )
        return on.routes(pages)

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """False for an account without a password, such as one from an identity provider, and where the domain of its address signs in at
        a provider alone."""
        del rows
        return account.password_hash is not None and self.prove_password.routes.only(account.email) is None

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """The proof counts until another password is set."""
        del rows
        return rule.stands(proof, account)
