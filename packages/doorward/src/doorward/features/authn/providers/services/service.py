"""Provider service: the defaults of one named service, and the few places where it differs from its protocol. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

CANCELLED: Final = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})
"""Errors of an authorization response that mean that the person, or what they have there, said no (RFC 6749 §4.1.2.1, OpenID Connect
Core §3.1.2.6)."""
_MAX_CODE: Final = 40


@dataclass(frozen=True, kw_only=True)
class ProviderService:
    """A service. `name` is its value of the setting `service`, and the name of a section that needs no such setting.

    `defaults`: the settings of the section that an operator may leave out. `cancelled`: the errors after which the page says that the
    person did not finish there. `unbound_codes`: it has neither nonce nor PKCE, so that only `state` ties a code to a browser. Every hook is given what the provider said as JSON values of any type, and decides nothing about trust:
    that stays with the operator's settings (R92).
    """

    name: str
    protocol: Literal["openid", "oauth2"] = "openid"
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cancelled: frozenset[str] = CANCELLED
    unbound_codes: bool = False

    def issuer(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """The issuer under which the person's identity is kept. None: the claims are those of another issuer, and nobody is signed in.
        The claims of an ID token have been checked for their signature, and for nothing else yet."""
        return policy.issuer if claims.get("iss") == policy.issuer else None

    def subject(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> object:
        """The key of the person at this issuer, which never changes hands (OpenID Connect Core §5.7)."""
        del policy
        return claims.get("sub")

    def display_name(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> object:
        """What the person is called."""
        del policy
        return claims.get("name")

    def address(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> tuple[object, bool]:
        """The mail address, and whether the service says that the person reads it."""
        del policy
        said = claims.get("email_verified")
        # one provider sends the boolean as text
        return claims.get("email"), said is True or said == "true"

    def parameters(self, policy: ProviderPolicy) -> Mapping[str, str]:
        """Further parameters of the authorization request."""
        del policy
        return {}

    def error_code(self, answer: Mapping[str, Any]) -> str:
        """The code of an error of the token endpoint for the audit log (RFC 6749 §5.2), never its description: it may repeat what was
        sent."""
        code = answer.get("error")
        known = (
            isinstance(code, str)
            and len(code) <= _MAX_CODE
            and code.replace("_", "").isalnum()
            and code.isascii()
        )
        return str(code) if known else "without a code"

    def warnings(self, policy: ProviderPolicy, now: int) -> tuple[str, ...]:
        """What an operator should know about this section at the time `now` (seconds)."""
        del policy, now
        return ()
