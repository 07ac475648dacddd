"""Identity provider: what the sign-in needs of one, whatever it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from doorward.features.authn.providers.rules.id_token import UpstreamClaims
from doorward.features.authn.providers.services.service import ProviderService
from doorward.features.authn.providers.settings import ProviderPolicy


class ProviderUnavailable(Exception):
    """The provider gives no usable answer. The text is safe to log and to show to an operator."""


class SignInRefused(Exception):
    """What came back from the provider does not sign anybody in. The text is for the audit log, and holds no value that was sent."""


class AccountRefused(SignInRefused):
    """The answer is good, and the settings let in other accounts of this provider. There the person can choose another one."""


class ProviderFindings(Struct, frozen=True, kw_only=True):
    """What an operator is told about a provider. `problem`: why nobody could sign in, None for nothing; `algorithms`: those of the keys that
    can be used, none for a service without ID tokens."""

    problem: str | None = None
    issuer: str = ""
    authorization_endpoint: str = ""
    algorithms: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class IdentityProvider(Protocol):
    """A provider of the settings. `redirect_uri` is its own: an answer of another one does not reach it (R91)."""

    @property
    def name(self) -> str:
        """The name of its section."""
        ...

    @property
    def policy(self) -> ProviderPolicy:
        """Its section."""
        ...

    @property
    def service(self) -> ProviderService:
        """The service that it is."""
        ...

    @property
    def redirect_uri(self) -> str:
        """Where its answers arrive."""
        ...

    async def authorization_url(
        self, *, state: str, nonce: str, verifier: str, asked: Mapping[str, str]
    ) -> str:
        """Where the browser goes. `asked`: what the sign-in asks for, as OpenID Connect names it (`rules/asking.py`); a service without such
        parameters leaves them out. Raises `ProviderUnavailable`."""
        ...

    async def claims(
        self, *, code: str, issuer: str | None, nonce: str, verifier: str, now: int
    ) -> UpstreamClaims:
        """What the provider says about the person who came back with `code`. `issuer` is the `iss` of the response. Its tokens are used
        here and kept nowhere. Raises `SignInRefused`, `ProviderUnavailable`."""
        ...

    async def examine(self, now: int) -> ProviderFindings:
        """What a sign-in would find, without one."""
        ...
