"""API client of the app: it uses the session's access token, refreshed silently after its expiry."""

from __future__ import annotations

import re
from typing import Any, Final, cast

import httpx2
from msgspec import Struct

from doorward_demo.demo import clock_and_random
from doorward_demo.demo.shop.provider import Provider, Turned, Unavailable
from doorward_demo.demo.shop.sessions import Session

_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')
_EARLY = 5.0
"""A token is refreshed this many seconds before its expiry, so that it does not expire in transit."""


class SignedOut(Exception):
    """The server issues no new token: the session is over."""


class StepUpRequired(Exception):
    """The API wants a stronger or more recent sign-in (RFC 9470 §3). `acr_values` and `max_age` are empty if it does
    not name them."""

    def __init__(self, *, acr_values: str, max_age: str) -> None:
        self.acr_values = acr_values
        self.max_age = max_age
        super().__init__(acr_values, max_age)


class Answer(Struct, frozen=True):
    """The API's answer. `challenge` is its WWW-Authenticate header, if any."""

    status: int
    document: dict[str, Any]
    challenge: str | None = None


class OrdersApi:
    """The API, called for the signed-in person."""

    def __init__(self, address: str, provider: Provider, http: httpx2.AsyncClient) -> None:
        self._address = address
        self._provider = provider
        self._http = http

    async def call(
        self, session: Session, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Answer:
        """Send one request. After a 401 it is sent once more with a new token, unless the API wants another sign-in:
        a refreshed token would state the same one. Raises `SignedOut`, `StepUpRequired`, `Unavailable`."""
        await self._renew(session, session.access_token, only_if_old=True)
        used = session.access_token
        answer = await self._send(used, method, path, body)
        if answer.status == 401:
            _step_up(answer)
            await self._renew(session, used)
            answer = await self._send(session.access_token, method, path, body)
            if answer.status == 401:
                raise SignedOut
        return answer

    async def _renew(self, session: Session, used: str, *, only_if_old: bool = False) -> None:
        # one refresh at a time per session: a request that waited finds a new token and requests none
        async with session.one_at_a_time:
            old = clock_and_random.now() > session.access_expires_at - _EARLY
            if session.access_token != used or (only_if_old and not old):
                return
            if session.refresh_token is None:
                raise SignedOut
            try:
                fresh = await self._provider.refresh(session.refresh_token)
            except Turned:
                raise SignedOut from None
            session.access_token = fresh.access_token
            session.access_expires_at = fresh.expires_at
            session.refresh_token = fresh.refresh_token or session.refresh_token
            session.scopes = fresh.scopes
            session.id_token = fresh.id_token or session.id_token
            session.refreshes += 1

    async def _send(self, token: str, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        try:
            answer = await self._http.request(
                method, f"{self._address}{path}", headers={"Authorization": f"Bearer {token}"}, json=body
            )
        except httpx2.HTTPError as error:
            raise Unavailable(type(error).__name__) from None
        if answer.status_code >= 500:
            raise Unavailable(f"the API answers {answer.status_code}")
        try:
            said: object = answer.json()
        except ValueError:
            said = None
        document = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
        return Answer(answer.status_code, document, answer.headers.get("www-authenticate"))


def _step_up(answer: Answer) -> None:
    """Raise `StepUpRequired` if the challenge says so."""
    said: dict[str, str] = dict(_PARAMETER.findall(answer.challenge or ""))
    if said.get("error") == "insufficient_user_authentication":
        raise StepUpRequired(acr_values=said.get("acr_values", ""), max_age=said.get("max_age", ""))
