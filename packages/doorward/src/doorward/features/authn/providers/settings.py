"""Settings of external OpenID providers: one section `[providers.NAME]` for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final, Literal
from urllib.parse import urlsplit

from msgspec import field

from doorward.core.model.secret import Secret
from doorward.core.model.section import Section, Surroundings
from doorward.core.text import one_line
from doorward.core.web_origin import loopback

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures of ID tokens that can be checked."""
NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
"""It is part of the redirect URI, and of the names of environment variables."""
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_LONGEST: Final = 32


class ProviderPolicy(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One provider. Everything that is trusted about it is named here, and nothing is by default.

    `issuer` is its `iss` to the letter; `label` is its name in "Continue with …". `client_auth`: how this server authenticates there;
    `client_key_file` is a private key (PEM). `email_domains`: the domains whose addresses it may confirm, `"*"` for all.
    `trusted_amr`, `trusted_acr`: what it says after a sign-in with two factors. `sign_up`: whether a first sign-in creates an account.
    `private_hosts`: hosts of its metadata, besides that of the issuer, that may have private addresses.
    """

    files: ClassVar[frozenset[str]] = frozenset({"client_secret_file", "client_key_file"})

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
    email_domains: tuple[str, ...] = ()
    trusted_amr: tuple[str, ...] = ()
    trusted_acr: tuple[str, ...] = ()
    trust_auth_time: bool = True
    sign_up: bool = True
    private_hosts: tuple[str, ...] = ()

    def problems_as(self, name: str, around: Surroundings) -> Iterator[str]:
        """What is missing or wrong in the section of this name."""
        if not NAME.fullmatch(name) or len(name) > _LONGEST:
            yield f"{name} cannot name a provider: small letters, digits and single underscores, as in [providers.example]"
        for member in ("issuer", "label", "client_id"):
            if not getattr(self, member):
                yield f"{name}.{member} is missing"
        if self.issuer and not _issuer(self.issuer, development=around.development):
            yield f'{name}.issuer is "{self.issuer}"; it should be the provider\'s issuer to the letter, as in "https://accounts.example.com"'
        if self.label and (not one_line(self.label) or len(self.label) > 60):
            yield f"{name}.label is longer than 60 characters, or holds one that nobody sees"
        if self.client_auth == "private_key_jwt":
            if self.client_key_file is None:
                yield f'{name}.client_key_file is missing: a private key (PEM), for client_auth "private_key_jwt"'
        elif self.client_secret is None:
            yield f"{name}.client_secret is missing: the secret that the provider gave you (or use client_secret_file)"
        for algorithm in self.signing_algs:
            if algorithm not in ALGORITHMS:
                yield f'{name}.signing_algs holds "{algorithm}"; it can hold {", ".join(ALGORITHMS)}'
        if not self.signing_algs:
            yield f"{name}.signing_algs is empty; leave it out to accept all"
        if not self.nonce and not self.pkce:
            yield f"{name}.nonce and pkce are both false: then nothing ties a code to the browser that asked for it"
        for domain in self.email_domains:
            if domain != "*" and not _DOMAIN.fullmatch(domain.lower()):
                yield f'{name}.email_domains holds "{domain}"; it should be a domain like "example.com", or "*" for all'


class ProviderPolicies(Section, frozen=True, forbid_unknown_fields=True):
    """All of them, by the names of their sections and in their order."""

    one_of: ClassVar[type[Section] | None] = ProviderPolicy

    by_name: dict[str, ProviderPolicy] = field(default_factory=dict[str, ProviderPolicy])

    def problems(self, around: Surroundings) -> Iterator[str]:
        """What is missing or wrong in each, and two that are one."""
        seen: dict[str, str] = {}
        for name, policy in self.by_name.items():
            for problem in policy.problems_as(name, around):
                yield f"providers.{problem}"
            if policy.issuer in seen:
                yield f"providers.{name}.issuer is that of [providers.{seen[policy.issuer]}] too; one provider has one section"
            seen[policy.issuer] = name


def _issuer(text: str, *, development: bool) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = len(text) <= 500 and text.isascii() and not any(one in "?#@" or one <= " " for one in text)
    secure = parts.scheme == "https" or (development and parts.scheme == "http" and loopback(host))
    return bool(host) and plain and secure
