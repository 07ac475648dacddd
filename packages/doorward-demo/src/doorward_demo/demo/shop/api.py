"""How does the app call the API? With the session's access token, renewed silently when it has run out."""

from __future__ import annotations

from typing import Any, cast

import httpx2
from msgspec import Struct

from doorward_demo.demo import clock_and_chance
from doorward_demo.demo.shop.provider import Provider, Turned, Unavailable
from doorward_demo.demo.shop.sessions import Session

_EARLY = 5.0
"""Seconds before its end at which a token is renewed, so that it does not run out on the way."""


class SignedOut(Exception):
    """The server gives no new token: the session is over."""


class Answer(Struct, frozen=True):
    """What the API said. `challenge` is its WWW-Authenticate header, where it sent one."""

    status: int
    document: dict[str, Any]
    challenge: str | None = None


class OrdersApi:
    """The API, called on behalf of whoever is signed in."""

    def __init__(self, address: str, provider: Provider, http: httpx2.AsyncClient) -> None:
        self._address = address
        self._provider = provider
        self._http = http

    async def call(
        self, session: Session, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Answer:
        """One call. A 401 is tried once more with a fresh token. Raises `SignedOut`, `Unavailable`."""
        await self._renew(session, session.access_token, only_if_old=True)
        used = session.access_token
        answer = await self._send(used, method, path, body)
        if answer.status == 401:
            await self._renew(session, used)
            answer = await self._send(session.access_token, method, path, body)
            if answer.status == 401:
                raise SignedOut
        return answer

    async def _renew(self, session: Session, used: str, *, only_if_old: bool = False) -> None:
        # one at a time for a session: whoever waited finds a fresh token and asks for none
        async with session.one_at_a_time:
            old = clock_and_chance.now() > session.access_expires_at - _EARLY
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
