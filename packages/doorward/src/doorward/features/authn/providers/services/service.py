"""Provider service: the defaults of one named service, and the few places where it differs from its protocol. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

CANCELLED: Final = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})
"""Errors of an authorization response that mean that the person, or what they have there, said no (RFC 6749 §4.1.2.1, OpenID Connect
Core §3.1.2.6)."""
_MAX_CODE: Final = 40


class ProviderService(Struct, frozen=True, kw_only=True):
    """A service. `name` is its value of the setting `service`, and the name of a section that needs no such setting.

    `defaults`: the settings of the section that an operator may leave out. `cancelled`: the errors after which the page says that the
    person did not finish there. `unbound_codes`: it has neither nonce nor PKCE, so that only `state` ties a code to a browser.
    `takes`: the settings that are for this service and no other; `needs`: those that have no default. `secret_alg`: its
    client secret is a token signed with this algorithm by the key in `client_key_file`.
    `asks_userinfo`: what the ID token lacks is read from the UserInfo endpoint. `takes_questions`: its authorization endpoint documents the
    parameters by which a sign-in asks for something (`rules/asking.py`); others may answer them with an error page.

    Every hook is given what the provider said as JSON values of any type, and decides nothing about trust: that stays with the operator's
    settings (R92).
    """

    name: str
    protocol: Literal["openid", "oauth2"] = "openid"
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cancelled: frozenset[str] = CANCELLED
    unbound_codes: bool = False
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    secret_alg: str | None = None
    asks_userinfo: bool = True
    takes_questions: bool = True

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of a section with the defaults of the service."""
        return {"service": self.name, **self.defaults, **values}

    def serves(self, issuer: str) -> bool:
        """Whether an issuer is this service's own, so that a section without its name is probably a mistake."""
        return issuer == self.defaults.get("issuer")

    def setting_problems(self, policy: ProviderPolicy) -> Iterator[str]:
        """What is wrong in the section besides; each sentence begins with the setting."""
        del policy
        return iter(())

    def metadata_issuer(self, policy: ProviderPolicy) -> str:
        """What its metadata have as their issuer (OpenID Connect Discovery 1.0 §4.3)."""
        return policy.issuer

    def vouches_for(self, policy: ProviderPolicy) -> tuple[str, ...]:
        """The issuers whose connections count while the section is in the settings. Those of an issuer that is not among them are kept
        under the first."""
        return (policy.issuer,)

    def refusal(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """Why nobody is signed in by these claims, though they are the service's own; None: nothing is wrong."""
        del claims, policy
        return None

    def key_refusal(self, key_issuer: str, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """The same for the member `issuer` of the key that signed them, where its key set has such a member."""
        del key_issuer, claims, policy
        return None

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

    def translated(self, asked: Mapping[str, str]) -> Mapping[str, str]:
        """What the sign-in asks for (`rules/asking.py`) in the words of the service, without what it does not know."""
        return asked if self.takes_questions else {}

    def secret_claims(self, policy: ProviderPolicy, now: int) -> Mapping[str, Any]:
        """The claims of the client secret for a service with `secret_alg`."""
        del policy, now
        return {}

    def posted_name(self, fields: Mapping[str, str]) -> str:
        """What the person is called by the fields of an answer that was posted, "" for nothing. Nobody has signed them."""
        del fields
        return ""

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
