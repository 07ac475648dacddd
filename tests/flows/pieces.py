"""Real values of a running server for hostile requests: form tokens, sign-ins in progress, sessions, codes, tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.flows.browsing import Page, Person
from tests.flows.running import Running
from tests.flows.seeds import API, CALLBACK, PASSWORD, House
from tests.flows.signing_in import challenge, tokens_by_challenge
from tests.openapi import document

SECRET = "sesame-7f3c-very-secret-word"
"""Typed into fields for secrets: it must never appear in the log."""

CHALLENGE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}


@dataclass(frozen=True)
class Spot:
    """One path of the server: its methods, and the names of the parameters of each method."""

    path: str
    methods: dict[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """All parameters."""
        return tuple(dict.fromkeys(name for names in self.methods.values() for name in names))


def spots() -> list[Spot]:
    """Every path in the server's description; a repository test compares that with its routes."""
    described = document()
    schemas: dict[str, Any] = described["components"]["schemas"]
    found: list[Spot] = []
    for path, item in described["paths"].items():
        methods: dict[str, tuple[str, ...]] = {}
        for method, operation in item.items():
            names = [one["name"] for one in operation.get("parameters", []) if one.get("in") == "query"]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                names += _properties(content.get("schema", {}), schemas)
            methods[method.upper()] = tuple(dict.fromkeys(names))
        found.append(Spot(path, methods))
    return found


def _properties(schema: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    if "$ref" in schema:
        return _properties(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    names = list(schema.get("properties", {}))
    for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        names += _properties(part, schemas)
    return names


@dataclass(frozen=True)
class Browser:
    """A browser in the right state for a path: its cookies, and the values in its pages."""

    cookie: bytes
    pieces: dict[str, tuple[bytes, ...]]


class Pieces:
    """Gathered from a running server. `common` are by the name of their parameter."""

    def __init__(self, server: Running, house: House) -> None:
        self._server = server
        self._house = house
        self._number = 0
        parts = urlsplit(server.issuer)
        self.host = parts.netloc.encode()
        self.prefix = parts.path
        self.common = self._gather()

    def _gather(self) -> dict[str, tuple[bytes, ...]]:
        house = self._house
        found: dict[str, list[str]] = {}
        person = self._server.person()
        attempt = house.own.begin("openid orders:read offline_access")
        page = person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
        ada = house.own.redeem(attempt, page)
        bob = tokens_by_challenge(house.spa, "bob@example.com", "openid orders:read")
        again = house.own.begin("openid")
        unused = house.own.code(again, person.open(again.url))
        first = challenge(house.own, scope="openid", **CHALLENGE)
        _keep(found, auth_session=first.json()["auth_session"], code=unused, code_verifier=again.verifier)
        for tokens in (ada, bob):
            _keep(found, token=tokens.access, refresh_token=tokens.refresh, access_token=tokens.access)
            _keep(found, token=tokens.refresh, id_token_hint=tokens.body["id_token"])
        for app in (house.own, house.web, house.spa, house.service, house.reader):
            _keep(found, client_id=app.client_id, **({"client_secret": app.secret} if app.secret else {}))
        _keep(
            found,
            redirect_uri=CALLBACK,
            post_logout_redirect_uri="https://shop.example.net/bye",
            response_type="code",
            response_mode="form_post",
            scope="openid orders:read",
            resource=API,
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            client_assertion=bob.access,
            username="ada@example.com",
            identifier="ada@example.com",
            email="ada@example.com",
            password=SECRET,
            current=SECRET,
            new=SECRET,
            confirm="yes",
            decision="allow",
            state="s1",
            nonce="n1",
            wait="0",
            max_age="600",
            **CHALLENGE,
        )
        for grant in ("authorization_code", "refresh_token", "client_credentials"):
            _keep(found, grant_type=grant)
        return {name: tuple(value.encode() for value in values) for name, values in found.items()}

    def browser(self, path: str) -> Browser:
        """A fresh browser at the right point of the flow for this path, with real values for its forms."""
        person = self._server.person()
        found: dict[str, list[str]] = {}
        self._number += 1
        if path.startswith("/account") or path in {"/logout", "/", "/signed-out"}:
            self._signed_in(person, path, found)
        elif path.startswith(("/sign-up", "/verify", "/reset")):
            self._mailed(person, path, found)
        else:
            page = person.open(self._house.web.begin("openid orders:read").url)
            if path == "/consent":
                page = person.sign_in(page, "ada@example.com", PASSWORD)
                if "consent" not in page.forms:
                    page = person.open(self._house.web.begin("openid", prompt="consent").url)
            _forms(found, page)
        cookie = "; ".join(f"{name}={value.value}" for name, value in person.cookies.items()).encode()
        made = {name: tuple(dict.fromkeys(v.encode() for v in values)) for name, values in found.items()}
        return Browser(cookie, made)

    def _signed_in(self, person: Person, path: str, found: dict[str, list[str]]) -> None:
        person.sign_in(person.open("/sign-in"), "ada@example.com", PASSWORD)
        for one in (path, "/account/methods", "/account/devices", "/account/apps", "/account/activity"):
            answer = person.ask("GET", one)
            if answer.status_code == 200:
                _forms(found, person.open(one))

    def _mailed(self, person: Person, path: str, found: dict[str, list[str]]) -> None:
        form_id, start = ("reset", "/reset") if path.startswith("/reset") else ("sign-up", "/sign-up")
        email = "ada@example.com" if form_id == "reset" else f"fuzz-{self._number}@example.com"
        first = person.open(start)
        _forms(found, first)
        typed = {"email": email} if form_id == "reset" else {"email": email, "password": PASSWORD}
        page = person.press(first, form_id, **typed)
        _forms(found, page)
        code = person.mailed_code(email)
        _keep(found, ticket=page.query["ticket"], code=code)
        text = next(text for to, _, given, text in person.mails() if (to, given) == (email, code))
        for token in re.findall(r"token=([\w.~-]+)", text):
            _keep(found, token=token)
        if path == "/reset/new":
            _forms(found, person.press(page, "check", code=code))


def _keep(found: dict[str, list[str]], **values: str) -> None:
    for name, value in values.items():
        found.setdefault(name, []).append(value)


def _forms(found: dict[str, list[str]], page: Page) -> None:
    for form in page.forms.values():
        _keep(found, **{name: value for name, value in form.fields.items() if value})
        _keep(found, **dict(pair for pair in form.buttons.values() if pair[0]))
