"""Settings of event sources: other issuers whose security events end sessions here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from msgspec import field

from doorward.core.model.secret import Secret
from doorward.core.model.section import Section, Surroundings
from doorward.core.web_origin import loopback

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_LONGEST: Final = 32
_ALGORITHMS: Final = ("RS256", "PS256", "ES256")
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "google": {
        "issuer": "https://accounts.google.com",
        "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
    },
    "apple": {
        "issuer": "https://appleid.apple.com",
        "jwks_uri": "https://appleid.apple.com/auth/keys",
    },
}
"""Cross-Account Protection of Google, and the server-to-server notifications of Sign in with Apple."""


class EventSourcePolicy(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One issuer of events. `kind` is its dialect, which has defaults; a section named `google` or `apple` needs none.

    `issuer` is the `iss` of its events, with or without a slash at the end, and that of the people it speaks about. `audience` are the
    accepted values of `aud`. `authorization` is the header that its pushes must have; without it the signature alone counts.
    `poll_url` and `poll_authorization`: where events are fetched. `email_domains`: the domains of the addresses by which it may name
    people, `"*"` for all; without them it names only people who are connected with it.
    """

    files: ClassVar[frozenset[str]] = frozenset({"authorization_file", "poll_authorization_file"})

    kind: Literal["ssf", "google", "apple"] = "ssf"
    issuer: str = ""
    jwks_uri: str = ""
    audience: tuple[str, ...] = ()
    signing_algs: tuple[str, ...] = ("RS256",)
    authorization: Secret | None = None
    authorization_file: str | None = None
    poll_url: str = ""
    poll_authorization: Secret | None = None
    poll_authorization_file: str | None = None
    email_domains: tuple[str, ...] = ()

    @classmethod
    def named(cls, name: str, values: Mapping[str, Any]) -> Self:
        """The section `[event_sources.NAME]` with the defaults of its kind."""
        kind = values.get("kind", name if name in _DEFAULTS else "ssf")
        return cls(**{"kind": kind, **_DEFAULTS.get(str(kind), {}), **values})

    def problems_as(self, name: str, around: Surroundings) -> Iterator[str]:
        """What is missing or wrong in the section of this name."""
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            yield f"{name} cannot name a source: small letters, digits and single underscores, as in [event_sources.example]"
        for member in ("issuer", "jwks_uri", "poll_url"):
            url = str(getattr(self, member))
            if not url and member != "poll_url":
                yield f"{name}.{member} is missing"
            elif url and not _address(url, development=around.development):
                yield f'{name}.{member} is "{url}"; it should be an address like "https://events.example.com"'
        if not self.audience:
            yield f'{name}.audience is missing: the aud of its events, as in ["{around.issuer}"]; for Google and Apple your client ids there'
        for algorithm in self.signing_algs:
            if algorithm not in _ALGORITHMS:
                yield f'{name}.signing_algs holds "{algorithm}"; it can hold {", ".join(_ALGORITHMS)}'
        if self.poll_authorization is not None and not self.poll_url:
            yield f"{name}.poll_authorization is given, and poll_url is missing"


class EventSourcePolicies(Section, frozen=True, forbid_unknown_fields=True):
    """All of them, by the names of their sections."""

    one_of: ClassVar[type[Section] | None] = EventSourcePolicy

    by_name: dict[str, EventSourcePolicy] = field(default_factory=dict[str, EventSourcePolicy])

    def problems(self, around: Surroundings) -> Iterator[str]:
        """What is missing or wrong in each."""
        for name, policy in self.by_name.items():
            for problem in policy.problems_as(name, around):
                yield f"event_sources.{problem}"


def _address(text: str, *, development: bool) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = len(text) <= 500 and text.isascii() and not any(one == "#" or one <= " " for one in text)
    secure = parts.scheme == "https" or (development and parts.scheme == "http" and loopback(host or ""))
    return bool(host) and plain and secure and "@" not in parts.netloc
