"""App of a signed-in person: it holds a chain of refresh tokens."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

from trials.cluster.asking import Answer, Line, Place
from trials.cluster.ledger import Ledger, Patient

SCOPE = "openid orders:read"


@dataclass(frozen=True, slots=True)
class App:
    """A registered app with a secret."""

    id: str
    secret: str
    redirect_uri: str = ""

    @property
    def proof(self) -> str:
        """Its `Authorization` header."""
        pair = f"{quote(self.id, safe='')}:{quote(self.secret, safe='')}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


@dataclass(slots=True)
class RotationLog:
    """All tokens that the server issued: the successors of each refresh token, over all clients and connections."""

    successors: dict[str, set[str]] = field(default_factory=lambda: defaultdict[str, set[str]](set))

    def gave(self, presented: str, successor: str) -> None:
        """Record that `presented` was answered with `successor`."""
        self.successors[presented].add(successor)

    @property
    def spent(self) -> int:
        """The number of exchanged tokens."""
        return len(self.successors)

    @property
    def doubly_spent(self) -> int:
        """Tokens with two different successors."""
        return sum(len(given) > 1 for given in self.successors.values())


def pkce() -> tuple[str, str]:
    """A verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(
        b"="
    ).decode()


@dataclass
class Person:
    """A person who is signed in to `app`. `spent` are the exchanged tokens, oldest first."""

    email: str
    password: str
    app: App
    place: Place
    patient: Patient
    record: RotationLog
    newest: str = ""
    access: str = ""
    spent: list[str] = field(default_factory=list[str])
    signed_out: str = ""
    """The server's answer when it no longer recognised this person."""

    def __post_init__(self) -> None:
        self.line, self.other = Line(self.place), Line(self.place)

    @property
    def ledger(self) -> Ledger:
        """The record of all requests."""
        return self.patient.ledger

    def close(self) -> None:
        """Close the connections."""
        self.line.close()
        self.other.close()

    async def sign_in(self) -> None:
        """Sign in by password through the JSON endpoint and get the first refresh token."""
        while True:
            verifier, challenge = pkce()
            members = {
                "username": self.email,
                "password": self.password,
                "scope": SCOPE,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
            answer, _ = await self._patiently("password sign-in", "/authorize-challenge", members, json=True)
            if answer.status != 200:
                self.ledger.say("password sign-in", answer)
                return
            if await self.redeem(answer.json()["authorization_code"], verifier):
                return

    async def redeem(self, code: str, verifier: str, redirect_uri: str = "") -> bool:
        """Redeem a code. False when a request with a lost answer redeemed it already: a new code is needed."""
        fields = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        if redirect_uri:
            fields["redirect_uri"] = redirect_uri
        answer, unheard = await self._patiently("code redemption", "/token", fields)
        if answer.status == 200:
            given = answer.json()
            self.newest, self.access = given["refresh_token"], given["access_token"]
            self.spent.clear()
            return True
        if unheard and answer.json().get("error") == "invalid_grant":
            self.ledger.begun_anew += 1
            return False
        self.ledger.say("code redemption", answer)
        return True

    async def refresh(self) -> None:
        """Get the next token."""
        await self._take([await self._refresh(self.line)])

    async def refresh_twice_at_once(self) -> None:
        """Send the same token on two connections at once, as two tabs do."""
        await self._take(await asyncio.gather(self._refresh(self.line), self._refresh(self.other)))

    async def _refresh(self, line: Line) -> Answer:
        fields = {"grant_type": "refresh_token", "refresh_token": self.newest}
        answer, _ = await self._patiently("refresh", "/token", fields, line=line)
        return answer

    async def _take(self, answers: Sequence[Answer]) -> None:
        presented = self.newest
        for answer in answers:
            if answer.status == 200:
                given = answer.json()
                self.record.gave(presented, given["refresh_token"])
                self.newest, self.access = given["refresh_token"], given["access_token"]
            elif answer.json().get("error") == "invalid_grant":
                self.signed_out = answer.json().get("error_description", "invalid_grant")
            else:
                self.ledger.say("refresh", answer)
        if self.newest != presented:
            self.spent.append(presented)

    async def _patiently(
        self, what: str, path: str, fields: Mapping[str, str], *, json: bool = False, line: Line | None = None
    ) -> tuple[Answer, bool]:
        chosen = line or self.line
        if json:
            body = msgspec.json.encode(fields)
            headers = {"content_type": "application/json", "authorization": self.app.proof}
            return await self.patient(what, lambda: chosen.ask("POST", path, body, **headers))
        return await self.patient(what, lambda: chosen.form(path, fields, authorization=self.app.proof))
