"""Observer of a failure: what apps, APIs and people see during it, and what they still have afterwards.

    witness = Witness(fleet)                    # a person with a session, tokens, a code; and revoked ones
    seen = witness.look()                       # every kind of request once; `seen.wrong` is empty or the test fails
    witness.everything_is_as_before()           # nothing live was lost, nothing revoked came back

Every failure must look the same: 503 with Retry-After, and a sentence. A false success must never happen.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2

from tests.flows.apis import Api
from tests.flows.apps import App, healed, pkce
from tests.flows.browsing import Page, Person
from tests.flows.processes import Fleet
from tests.flows.seeds import API, CALLBACK, PASSWORD
from tests.flows.signing_in import challenge, tokens_by_challenge
from tests.waiting import PATIENCE, until

SCOPE = "openid orders:read"
ADA = "ada@example.com"
ORIGIN = {"origin": "https://counter.example.net", "sec-fetch-site": "same-site"}
NEEDS_NOTHING = frozenset({"alive", "keys", "metadata"})
"""Answered from memory: they work whatever the database does."""
NEEDS_NEWS = "for itself"
"""A client_credentials token needs no row, but needs the app's permissions, at most one second old."""


@dataclass
class Seen:
    """The result of one look: the responses by kind of request, and every violation."""

    answers: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def refused(self) -> set[str]:
        """The kinds that got 503."""
        return {name for name, status in self.answers.items() if status == 503}

    @property
    def counted(self) -> Counter[int]:
        """How often each status occurred."""
        return Counter(self.answers.values())


class Witness:
    """One person twice: with live sessions and tokens, and with revoked ones. Uses one process, `base`."""

    def __init__(self, fleet: Fleet, base: str | None = None) -> None:
        self.fleet = fleet
        self.base = base or fleet.servers[0].base
        self.app, self.service, self.spa = (
            App(one.issuer, one.client_id, one.secret, one.redirect_uri, base=self.base)
            for one in (fleet.house.own, fleet.house.service, fleet.house.spa)
        )
        self.http = httpx2.Client(base_url=self.base, trust_env=False, timeout=PATIENCE)
        self.browser, self.left = Person(fleet.issuer), Person(fleet.issuer)
        for person in (self.browser, self.left):
            page = person.sign_in(person.open("/sign-in"), ADA, PASSWORD)
            assert page.path == "/account", page.words
        cookies = dict(self.left.cookies)
        self.left.press(self.left.open("/logout"), "sign-out")
        assert self.left.open("/account").path == "/sign-in"
        self.left.cookies = cookies
        self.tokens = tokens_by_challenge(self.app, ADA, SCOPE)
        self.newest = self.tokens.refresh
        self.ended = tokens_by_challenge(self.app, ADA, SCOPE)
        assert self.app.post("/revoke", token=self.ended.refresh).status_code == 200
        self._sign_in_to_the_counter()

    def _sign_in_to_the_counter(self) -> None:
        attempt = self.spa.begin(SCOPE)
        code = self.spa.code(attempt, self.browser.open(attempt.url))
        fields = {
            "client_id": self.spa.client_id,
            "code": code,
            "code_verifier": attempt.verifier,
            "redirect_uri": CALLBACK,
        }
        answer = self.browser.ask("POST", "/cookie/token", fields, ORIGIN)
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        """Close the connections."""
        for one in (self.app, self.service, self.spa, self.http, self.browser, self.left):
            one.close()

    def code(self) -> tuple[str, str]:
        """A fresh code and its verifier."""
        verifier, hashed = pkce()
        answer = challenge(
            self.app,
            username=ADA,
            password=PASSWORD,
            scope=SCOPE,
            code_challenge=hashed,
            code_challenge_method="S256",
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["authorization_code"], verifier

    def redeem(self, code: tuple[str, str]) -> httpx2.Response:
        """The request that redeems it."""
        return self.app.token(grant_type="authorization_code", code=code[0], code_verifier=code[1])

    def look(self) -> Seen:
        """Send every kind of request once, all at the same moment."""
        seen = Seen()

        def one(name: str, ask: Callable[[], tuple[int, str | None]]) -> None:
            began = time.monotonic()
            status, wrong = ask()
            seen.seconds[name] = time.monotonic() - began
            seen.answers[name] = status
            if wrong:
                seen.wrong.append(f"{name}: {wrong}")

        questions = self._questions()
        with ThreadPoolExecutor(len(questions)) as crowd:
            for done in [crowd.submit(one, name, ask) for name, ask in questions.items()]:
                done.result()
        return seen

    def outage(self) -> Seen:
        """A look while no stored row can be read: requests that need one are refused, and the others continue."""
        seen = self.look()
        assert seen.wrong == []
        assert set(seen.answers) - seen.refused - {NEEDS_NEWS} == NEEDS_NOTHING, seen.answers
        assert self.http.get("/readyz").status_code == 503
        return seen

    def _questions(self) -> dict[str, Callable[[], tuple[int, str | None]]]:
        spa = {"client_id": self.spa.client_id}
        return {
            "alive": lambda: self._plain("/healthz"),
            "keys": lambda: self._plain("/jwks"),
            "metadata": lambda: self._plain("/.well-known/openid-configuration"),
            "for itself": lambda: self._judge(
                self.service.token(grant_type="client_credentials", scope="orders:read")
            ),
            "refresh": self._refresh,
            "refresh of an ended grant": lambda: self._judge(self.app.refresh(self.ended.refresh), never=200),
            "introspection": lambda: self._introspect(self.tokens.access, holds=True),
            "introspection of an ended token": lambda: self._introspect(self.ended.access, holds=False),
            "introspection of an ended refresh token": lambda: self._introspect(
                self.ended.refresh, holds=False
            ),
            "userinfo": lambda: self._judge(self.app.userinfo(self.tokens.access)),
            "userinfo with an ended token": lambda: self._judge(
                self.app.userinfo(self.ended.access), never=200
            ),
            "revocation": lambda: self._judge(self.app.post("/revoke", token=self.ended.access)),
            "feed": lambda: self._plain("/revocations"),
            "JSON sign-in": self._json_sign_in,
            "account page": lambda: self._page(self.browser.ask("GET", "/account"), 200),
            "account page of an ended session": lambda: self._page(
                self.left.ask("GET", "/account"), 303, never=200
            ),
            "authorization": lambda: self._authorize(self.browser),
            "authorization with an ended session": lambda: self._authorize(self.left),
            "cookie session": lambda: self._judge(
                self.browser.ask("GET", f"/cookie/session?client_id={self.spa.client_id}", None, ORIGIN)
            ),
            "cookie refresh": lambda: self._judge(self.browser.ask("POST", "/cookie/refresh", spa, ORIGIN)),
        }

    def _plain(self, path: str) -> tuple[int, str | None]:
        return self._judge(self.http.get(path))

    def _refresh(self) -> tuple[int, str | None]:
        answer = self.app.refresh(self.newest)
        if answer.status_code == 200:
            self.newest = answer.json()["refresh_token"]
        return self._judge(answer)

    def _json_sign_in(self) -> tuple[int, str | None]:
        _, hashed = pkce()
        return self._judge(
            challenge(
                self.app,
                username=ADA,
                password=PASSWORD,
                scope=SCOPE,
                code_challenge=hashed,
                code_challenge_method="S256",
            )
        )

    def _introspect(self, token: str, *, holds: bool) -> tuple[int, str | None]:
        answer = self.app.post("/introspect", token=token)
        if answer.status_code == 200 and answer.json()["active"] is not holds:
            return 200, f"says {answer.json()} of a token that {'holds' if holds else 'was ended'}"
        return self._judge(answer)

    def _authorize(self, person: Person) -> tuple[int, str | None]:
        answer = person.ask("GET", self.app.begin(SCOPE, prompt="none").url)
        if answer.status_code == 503:
            return _unavailable(answer)
        where = answer.headers.get("location", "")
        if answer.status_code != 303 or not where.startswith(CALLBACK):
            return answer.status_code, f"led to {where!r}"
        if person is self.left and "code=" in where:
            return answer.status_code, "an ended session gave a code"
        # an app that gets temporarily_unavailable by redirect retries as after a 503 (OAuth 2.1 §4.1.2.1)
        if person is self.browser and "code=" not in where and "error=temporarily_unavailable" not in where:
            return answer.status_code, f"no code: {where}"
        return answer.status_code, None

    def _page(self, answer: httpx2.Response, good: int, *, never: int = 0) -> tuple[int, str | None]:
        if answer.status_code == 503 and "text/html" not in answer.headers.get("content-type", ""):
            return 503, "no page for a person"
        return self._judge(answer, good=good, never=never)

    def _judge(self, answer: httpx2.Response, *, good: int = 200, never: int = 0) -> tuple[int, str | None]:
        status = answer.status_code
        if status == 503:
            return _unavailable(answer)
        if status == never:
            return status, f"a wrong yes: {answer.text[:300]}"
        if not never and status != good:
            return status, f"{status} {answer.text[:300]}"
        return status, "an unforeseen error" if status >= 500 else None

    def everything_is_as_before(self) -> None:
        """Assert that live sessions still live, and that revoked ones stay revoked."""
        looks: list[Seen] = []

        def time_to_hash() -> bool:
            # hashing a password on a machine busy with tests may itself get a 503, and is retried
            looks.append(self.look())
            return looks[-1].refused != {"JSON sign-in"}

        until(time_to_hash, lambda: "no time for a hash", look=0.3)
        assert [wrong for seen in looks for wrong in seen.wrong] == []
        assert looks[-1].refused == set(), f"still refused: {looks[-1].refused}, {looks[-1].seconds}"
        assert healed(lambda: self.app.refresh(self.newest)).refresh
        self.newest = self.newest_again()
        page: Page = self.browser.open("/account")
        assert (page.status, page.path) == (200, "/account")
        assert self.left.open("/account").path == "/sign-in"
        with Api(self.fleet.issuer, API) as api:
            assert api.refusal(healed(lambda: self.app.refresh(self.newest)).access) is None
            assert api.refusal(self.ended.access) == "revoked"
        self.newest = self.newest_again()

    def newest_again(self) -> str:
        """The newest refresh token: a repeat after a lost response gets the same one."""
        return healed(lambda: self.app.refresh(self.newest)).refresh

    def recovered(self) -> float:
        """Wait until the server is ready again and refuses nothing; returns how long that took."""
        began = time.monotonic()
        until(
            lambda: self.http.get("/readyz").status_code == 200 and not self.look().refused,
            lambda: f"not recovered: {self.look()}",
            look=0.1,
        )
        return time.monotonic() - began


def _unavailable(answer: httpx2.Response) -> tuple[int, str | None]:
    later = answer.headers.get("retry-after", "")
    if not later.isdigit() or not 1 <= int(later) <= 60:
        return 503, f"Retry-After is {later!r}"
    if "application/json" in answer.headers.get("content-type", ""):
        body = answer.json()
        if body.get("error") != "temporarily_unavailable" or not body.get("error_description"):
            return 503, f"says {answer.text[:300]}"
    for name in ("postgres", "asyncpg", "sqlite", "127.0.0.1:"):
        if name in answer.text.lower() and "application/json" in answer.headers.get("content-type", ""):
            return 503, f"speaks of its inside: {answer.text[:300]}"
    return 503, None


@contextmanager
def witness_of(fleet: Fleet, base: str | None = None) -> Generator[Witness]:
    """A witness for the duration of the block."""
    one = Witness(fleet, base)
    try:
        yield one
    finally:
        one.close()
