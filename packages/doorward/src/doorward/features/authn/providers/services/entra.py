"""Microsoft Entra: many tenants behind one address, each with its own issuer, and people who are known by `oid`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from doorward.features.authn.providers.services.service import ProviderService

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

_HOST: Final = "https://login.microsoftonline.com"
_TENANT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ISSUER: Final = re.compile(r"(?P<host>https?://[^/]+)/(?P<tenant>[^/]+)/v2\.0")
_MANY: Final = "organizations"
_TEMPLATE: Final = "{tenantid}"
_TRUE: Final = (True, "true", "1")


class EntraService(ProviderService, frozen=True, kw_only=True):
    """An OpenID provider. Anybody can open a tenant and name its people as they like, so that the tenants are part of the settings, and an
    address counts only where Microsoft says that its domain belongs to the tenant."""

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The address of the only tenant, or the one for all of them."""
        given = super().filled(values)
        tenants = given.get("tenants") or ()
        only = str(tenants[0]).lower() if len(tenants) == 1 else ""
        place = only if _TENANT.fullmatch(only) else _MANY
        return {"issuer": f"{_HOST}/{place}/v2.0", **given}

    def serves(self, issuer: str) -> bool:
        """Any tenant's."""
        return issuer.startswith(f"{_HOST}/")

    def setting_problems(self, policy: ProviderPolicy) -> Iterator[str]:
        """The tenants are ids, and the issuer is one of version 2."""
        for tenant in policy.tenants:
            if tenant != "*" and not _TENANT.fullmatch(tenant.lower()):
                yield f'tenants holds "{tenant}"; it should be the id of a tenant (Overview → Tenant ID), or "*" for all'
        if not _ISSUER.fullmatch(policy.issuer):
            yield f'issuer is "{policy.issuer}"; leave it out, or name another cloud as in "https://login.microsoftonline.us/{_MANY}/v2.0"'
        if policy.client_auth == "private_key_jwt":
            yield "client_auth is private_key_jwt, for which Microsoft wants a certificate; use a client secret"

    def warnings(self, policy: ProviderPolicy, now: int) -> tuple[str, ...]:
        """Whoever opens a tenant decides what its tokens say."""
        del now
        trusted = [one for one in ("trusted_amr", "trusted_acr", "roles") if getattr(policy, one)]
        if "*" not in policy.tenants or not trusted:
            return ()
        return (f"every tenant may sign in, and {' and '.join(trusted)} trusts what each of them says",)

    def metadata_issuer(self, policy: ProviderPolicy) -> str:
        """At the address for all tenants the metadata have a template in the place of an issuer."""
        found = _ISSUER.fullmatch(policy.issuer)
        if found is None or _TENANT.fullmatch(found["tenant"]):
            return policy.issuer
        return f"{found['host']}/{_TEMPLATE}/v2.0"

    def refusal(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """Whether the account is of a tenant that the settings do not name."""
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
            return "tid is no tenant"
        allowed = {one.lower() for one in policy.tenants}
        return None if tenant in allowed or "*" in allowed else "tid is no tenant of the settings"

    def issuer(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """The issuer of the tenant in `tid`, which `iss` has to be."""
        expected = self._issuer_of(str(claims.get("tid")), policy)
        return expected if claims.get("iss") == expected else None

    def key_refusal(self, key_issuer: str, claims: Mapping[str, Any], policy: ProviderPolicy) -> str | None:
        """Whether the key signs for another tenant: each names the issuer for which it is, or the template."""
        del policy
        mine = key_issuer.replace(_TEMPLATE, str(claims.get("tid")))
        return None if mine == claims.get("iss") else "the key is of another issuer"

    def vouches_for(self, policy: ProviderPolicy) -> tuple[str, ...]:
        """Those of the tenants, so that connections of a tenant that is taken out of the settings count no more."""
        named = tuple(one.lower() for one in policy.tenants if one != "*")
        every = (_TEMPLATE,) if "*" in policy.tenants else ()
        return tuple(self._issuer_of(one, policy) for one in (*every, *named)) or (policy.issuer,)

    def subject(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> object:
        """The person's id in the tenant. `sub` is another one for each app registration: a new registration would make everybody a
        stranger."""
        del policy
        return claims.get("oid")

    def address(self, claims: Mapping[str, Any], policy: ProviderPolicy) -> tuple[object, bool]:
        """Administrators of a tenant write any address into `email`. It counts where the tenant has proven that it owns the domain."""
        del policy
        owned: object = claims.get("xms_edov")
        return claims.get("email"), owned in _TRUE

    def _issuer_of(self, tenant: str, policy: ProviderPolicy) -> str:
        found = _ISSUER.fullmatch(policy.issuer)
        return f"{found['host']}/{tenant}/v2.0" if found is not None else ""


ENTRA: Final = EntraService(
    name="entra",
    takes=("tenants",),
    needs=("tenants",),
    defaults={"label": "Microsoft", "client_auth": "client_secret_post", "signing_algs": ("RS256",)},
    # its UserInfo endpoint does not say whose the domain of an address is
    asks_userinfo=False,
)
