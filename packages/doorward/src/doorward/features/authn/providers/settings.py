"""Settings of external providers: one section `[providers.NAME]` for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from msgspec import field

from doorward.core.login_name import normalise_domain
from doorward.core.model.secret import Secret
from doorward.core.model.section import Section, Surroundings
from doorward.core.text import one_line
from doorward.core.web_origin import loopback
from doorward.features.authn.providers.rules.mapping import ARROW, MEMBERS, pair
from doorward.features.authn.providers.services.index import BY_NAME, SERVICES, service_for
from doorward.features.authn.providers.services.service import ProviderService

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures of ID tokens that can be checked."""
NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
"""It is part of the redirect URI, and of the names of environment variables."""
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_LONGEST: Final = 32
ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
OWN_SETTINGS: Final = {one: service.name for service in SERVICES for one in service.takes}
"""Settings that mean something to one service alone."""
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{0,20}")


class ProviderPolicy(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One provider. Everything that is trusted about it is named here, and nothing is by default.

    `service` is what it is (`services/index.py`), whose defaults the section then has. `issuer` is its `iss` to the letter; `label` is its name in "Continue with …". `client_auth`: how this server authenticates there;
    `client_key_file` is a private key (PEM). `email_domains`: the domains whose addresses it may confirm, `"*"` for all.
    `trusted_amr`, `trusted_acr`: what it says after a sign-in with two factors. `sign_up`: whether a first sign-in creates an account;
    `address`: whether it needs a confirmed address, or else makes an account without one.
    `log_out`: whether somebody who signs out here is also signed out there.
    `roles`: which value of the claim `roles_claim` gives which role, as `"value -> role"`; `profile`: which claim becomes which member of the
    account, as `"claim -> member"`; `mapping`: whether both are applied only when the account is made, or at each sign-in.
    `response_mode`: whether answers are in the query of the callback, or in a form that the provider's page posts to it.
    `private_hosts`: hosts of its metadata, besides that of the issuer, that may have private addresses.
    `domains`: whoever types an address of these domains is led to this provider. `only`: they are offered no password, code by mail, reset
    or sign-up here.

    For services that speak OAuth 2.0 alone: the three endpoints, in which `{api_version}` stands for that setting, and the members of the
    person's document, "" for none; a path like `data.user.id` leads into it.
    """

    files: ClassVar[frozenset[str]] = frozenset({"client_secret_file", "client_key_file"})

    service: str = "openid"
    issuer: str = ""
    label: str = ""
    client_id: str = ""
    client_auth: Literal["client_secret_basic", "client_secret_post", "private_key_jwt"] = (
        "client_secret_basic"
    )
    client_secret: Secret | None = None
    client_secret_file: str | None = None
    client_key_file: str | None = None
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    signing_algs: tuple[str, ...] = ALGORITHMS
    pkce: bool = True
    nonce: bool = True
    response_mode: Literal["query", "form_post"] = "query"
    email_domains: tuple[str, ...] = ()
    trusted_amr: tuple[str, ...] = ()
    trusted_acr: tuple[str, ...] = ()
    trust_auth_time: bool = True
    sign_up: bool = True
    address: Literal["required", "optional"] = "required"
    log_out: Literal["offer", "always", "never"] = "offer"
    mapping: Literal["first", "each_sign_in"] = "first"
    roles_claim: str = ""
    roles: tuple[str, ...] = ()
    profile: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    only: bool = False
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    api_version: str = ""
    subject_member: str = "id"
    name_member: str = "name"
    email_member: str = "email"
    email_verified_member: str = ""
    hosted_domains: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    team_id: str = ""
    key_id: str = ""

    @classmethod
    def named(cls, name: str, values: Mapping[str, Any]) -> Self:
        """The section `[providers.NAME]` with the defaults of its service. A section with the name of a service needs no `service`."""
        service = service_for(name, values.get("service"))
        given = service.filled(values)
        version = str(given.get("api_version", ""))
        given |= {one: str(given[one]).replace("{api_version}", version) for one in ENDPOINTS if one in given}
        return cls(**given)

    def provider_service(self) -> ProviderService:
        """The service that it is."""
        return service_for(self.service, self.service)

    def problems_as(self, name: str, around: Surroundings) -> Iterator[str]:
        """What is missing or wrong in the section of this name."""
        if not NAME.fullmatch(name) or len(name) > _LONGEST:
            yield f"{name} cannot name a provider: small letters, digits and single underscores, as in [providers.example]"
        if self.service not in BY_NAME:
            yield f'{name}.service is "{self.service}"; it can be {", ".join(BY_NAME)}'
        yield from self._protocol_problems(name, around)
        yield from self._mapping_problems(name)
        service = self.provider_service()
        for member in ("issuer", "label", "client_id", *service.needs):
            if not getattr(self, member):
                yield f"{name}.{member} is missing"
        for member, owner in OWN_SETTINGS.items():
            if getattr(self, member) and owner != service.name:
                yield f'{name}.{member} is only for service = "{owner}"'
        for problem in service.setting_problems(self):
            yield f"{name}.{problem}"
        if self.issuer and not _issuer(self.issuer, development=around.development):
            yield f'{name}.issuer is "{self.issuer}"; it should be the provider\'s issuer to the letter, as in "https://accounts.example.com"'
        if self.label and (not one_line(self.label) or len(self.label) > 60):
            yield f"{name}.label is longer than 60 characters, or holds one that nobody sees"
        if service.secret_alg is not None:
            if self.client_secret is not None:
                yield f"{name}.client_secret is given, and this service's secret is made with client_key_file"
        elif self.client_auth == "private_key_jwt":
            if self.client_key_file is None:
                yield f'{name}.client_key_file is missing: a private key (PEM), for client_auth "private_key_jwt"'
        elif self.client_secret is None:
            yield f"{name}.client_secret is missing: the secret that the provider gave you (or use client_secret_file)"
        for algorithm in self.signing_algs:
            if algorithm not in ALGORITHMS:
                yield f'{name}.signing_algs holds "{algorithm}"; it can hold {", ".join(ALGORITHMS)}'
        if not self.signing_algs:
            yield f"{name}.signing_algs is empty; leave it out to accept all"
        for domain in self.email_domains:
            if domain != "*" and not _DOMAIN.fullmatch(domain.lower()):
                yield f'{name}.email_domains holds "{domain}"; it should be a domain like "example.com", or "*" for all'
        for domain in self.domains:
            if normalise_domain(domain) is None:
                yield f'{name}.domains holds "{domain}"; it should be a domain like "example.com"'
        if self.only and not self.domains:
            yield f"{name}.only is true, and its domains are empty; they say whose people have no other way in"

    def _mapping_problems(self, name: str) -> Iterator[str]:
        for one in self.roles:
            if ARROW not in one or pair(one) is None:
                yield f'{name}.roles holds "{one}"; it should be a value of the claim and a role, as in "shop-admins -> admin"'
        if bool(self.roles) != bool(self.roles_claim):
            yield f'{name}.roles and {name}.roles_claim belong together: the claim, as in "groups", and which of its values give a role'
        for one in self.profile:
            sides = pair(one)
            if sides is None or sides[1] not in MEMBERS:
                yield f'{name}.profile holds "{one}"; it should be a claim and one of {", ".join(MEMBERS)}, as in "given_name" or "first -> given_name"'

    def _protocol_problems(self, name: str, around: Surroundings) -> Iterator[str]:
        service = self.provider_service()
        endpoints = {one: str(getattr(self, one)) for one in ENDPOINTS}
        if service.protocol == "openid":
            for one in (one for one, url in endpoints.items() if url):
                yield f'{name}.{one} is only for a service that speaks OAuth 2.0 alone (service = "oauth2"); an OpenID provider\'s metadata names it'
            if not self.nonce and not self.pkce and not service.unbound_codes:
                yield f"{name}.nonce and pkce are both false: then nothing ties a code to the browser that asked for it"
            return
        for one, url in endpoints.items():
            if not url:
                yield f"{name}.{one} is missing: the service has no metadata that would name it"
            elif not _issuer(url.split("?")[0], development=around.development) or "#" in url:
                yield f'{name}.{one} is "{url}"; it should be an address like "https://accounts.example.com/oauth/token"'
        if self.response_mode != "query":
            yield f"{name}.response_mode is {self.response_mode}, which needs an OpenID provider"
        if self.client_auth == "private_key_jwt":
            yield f"{name}.client_auth is private_key_jwt, which needs an OpenID provider"
        if not self.subject_member:
            yield f"{name}.subject_member is empty; it names the member of the person's document that never changes hands, as id does"
        if not _VERSION.fullmatch(self.api_version):
            yield f'{name}.api_version is "{self.api_version}"; it should be a version like "v25.0"'


class ProviderPolicies(Section, frozen=True, forbid_unknown_fields=True):
    """All of them, by the names of their sections and in their order."""

    one_of: ClassVar[type[Section] | None] = ProviderPolicy

    by_name: dict[str, ProviderPolicy] = field(default_factory=dict[str, ProviderPolicy])

    def problems(self, around: Surroundings) -> Iterator[str]:
        """What is missing or wrong in each, and two that are one."""
        seen: dict[str, str] = {}
        routed: dict[str | None, str] = {}
        for name, policy in self.by_name.items():
            for problem in policy.problems_as(name, around):
                yield f"providers.{problem}"
            if policy.issuer in seen:
                yield f"providers.{name}.issuer is that of [providers.{seen[policy.issuer]}] too; one provider has one section"
            seen[policy.issuer] = name
            for domain in policy.domains:
                key = normalise_domain(domain)
                if key in routed and routed[key] != name:
                    yield f'providers.{name}.domains holds "{domain}", which [providers.{routed[key]}] has too; a domain has one provider'
                routed[key] = name


def _issuer(text: str, *, development: bool) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = len(text) <= 500 and text.isascii() and not any(one in "?#" or one <= " " for one in text)
    secure = parts.scheme == "https" or (development and parts.scheme == "http" and loopback(host))
    return bool(host) and plain and secure and "@" not in parts.netloc
