"""Google: an issuer with and without https://, hosted domains, and addresses of which only some are Google's to confirm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from doorward.features.authn.providers.services.service import ProviderService

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

_OWN_DOMAIN: Final = "@gmail.com"
_PROMPTS: Final = frozenset({"consent", "select_account"})


class GoogleService(ProviderService, frozen=True, kw_only=True):
    """An OpenID provider. The hosted domain of a request is a hint to its page alone: who may sign in is decided by the claim."""

    def refusal(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """Whether the account is of another organisation than those of the setting `hosted_domains`."""
        domain, allowed = _hosted_domain(claims), {one.lower() for one in policy.hosted_domains}
        if not allowed or domain in allowed or (domain and "*" in allowed):
            return None
        return "hd is no hosted domain of the settings"

    def issuer(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """One issuer under both of its names: older endpoints leave out the scheme."""
        names = (policy.issuer, policy.issuer.removeprefix("https://"))
        return policy.issuer if claims.get("iss") in names else None

    def address(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> tuple[object, bool]:
        """Google gives out the addresses at gmail.com, and those of an organisation whose mail it hosts. Any other was confirmed once,
        when the account was made, and may have changed hands since."""
        email, confirmed = super().address(claims, policy)
        own = isinstance(email, str) and email.lower().endswith(_OWN_DOMAIN)
        return email, confirmed and (own or bool(_hosted_domain(claims)))

    def parameters(self, policy: ProviderPolicy) -> Mapping[str, str]:
        """A choice of accounts, since browsers are often signed in to several, and the hosted domain."""
        hint = policy.hosted_domains[0] if len(policy.hosted_domains) == 1 else "*"
        return {"prompt": "select_account", **({"hd": hint} if policy.hosted_domains else {})}

    def translated(self, asked: Mapping[str, str]) -> Mapping[str, str]:
        """The same without the values of `prompt` that Google answers with an error page: nobody can be made to sign in there anew."""
        kept = [one for one in asked.get("prompt", "").split() if one in _PROMPTS]
        others = {name: value for name, value in asked.items() if name != "prompt"}
        return {**others, "prompt": " ".join(kept)} if kept else others

    def setting_problems(self, policy: ProviderPolicy) -> Iterator[str]:
        """A hosted domain is a domain."""
        for domain in policy.hosted_domains:
            if domain != "*" and ("." not in domain or "@" in domain):
                yield f'hosted_domains holds "{domain}"; it should be a domain like "example.com", or "*" for any organisation'


def _hosted_domain(claims: Mapping[str, Any]) -> str:
    found: object = claims.get("hd")
    return found.lower() if isinstance(found, str) else ""


GOOGLE: Final = GoogleService(
    name="google",
    takes=("hosted_domains",),
    defaults={
        "issuer": "https://accounts.google.com",
        "label": "Google",
        "signing_algs": ("RS256",),
    },
)
