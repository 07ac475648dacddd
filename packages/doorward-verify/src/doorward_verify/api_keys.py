"""API keys of callers: exchanged for access tokens, which are verified and revoked as any other token."""

import asyncio
import os
import re
import threading
from binascii import crc32
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from hashlib import sha256
from typing import Final
from urllib.parse import unquote

from msgspec import UNSET, DecodeError, Struct, UnsetType
from msgspec.json import Decoder

from doorward_verify.auth_error import AuthError
from doorward_verify.principal import Principal

PREFIX: Final = "dwk_"
GRANT_TYPE: Final = "urn:doorward:grant-type:api-key"
REFUSED_FOR: Final = 5.0
"""Seconds for which a refused key is not sent again."""
MOST_REFUSED: Final = 1000
MOST_AT_ONCE: Final = 16
"""Exchanges in progress; further keys are answered with 503, so that invented keys cannot fill the memory with threads."""
_KEY: Final = re.compile(r"dwk_[0-9a-f]{32}_[0-9A-Za-z]{49}", re.ASCII)
_CHECKSUM: Final = 6
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_OUTAGE: Final = "API keys cannot be exchanged right now"


class ApiKeys(Struct, frozen=True, kw_only=True):
    """How an API accepts API keys. `client_id` and `client_secret` are those of the app as which the API introspects
    (`doorward api introspect-as`): with them the issuer believes the API from which address it was called, which keys need
    that work only from some networks. `size` is the number of keys that are remembered."""

    client_id: str | None = None
    client_secret: str | None = None
    size: int = 10_000

    def __repr__(self) -> str:
        return f"ApiKeys(client_id={self.client_id!r}, ***)"


class ExchangeAnswer(Struct, frozen=True):
    """The answer of the token endpoint: its status, and its body."""

    status: int
    body: bytes


class Outcome(Struct, frozen=True):
    """A token and until when it may be used (seconds), or the refusal and until when it is repeated."""

    until: float
    token: str = ""
    refused: AuthError | None = None


class _Body(Struct):
    access_token: str | UnsetType = UNSET
    expires_in: int | UnsetType = UNSET


Post = Callable[[dict[str, str]], ExchangeAnswer]
"""Sends a form to the token endpoint. Raises `ConnectionError` when there is no answer."""
_decode = Decoder(_Body).decode


def is_key(text: object) -> bool:
    """Whether a credential is meant as an API key. Access tokens never begin like that."""
    return isinstance(text, str) and text.startswith(PREFIX)


def in_address(query: str) -> bool:
    """Whether the query of a request holds an API key: it is in logs and histories by now."""
    return PREFIX in unquote(query)


def well_formed(key: str) -> bool:
    """Whether form and checksum are right. Anything else is refused without a request."""
    if not _KEY.fullmatch(key):
        return False
    number, found = crc32(key[:-_CHECKSUM].encode()), ""
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, 62)
        found = _DIGITS[digit] + found
    return found == key[-_CHECKSUM:]


class KeyExchange:
    """Exchanges keys, each once at a time however many requests carry it, and remembers the tokens while they live.

    A remembered token goes through the same checks as any other at each use. One that was revoked or has expired is forgotten and
    the key exchanged again: an ended key is refused then, and one that allows less now gets its new token. Memory is bounded, and
    holds no key.
    """

    def __init__(self, settings: ApiKeys, *, audience: str, clock: Callable[[], float], wait: float) -> None:
        if settings.size < 1:
            raise ValueError("ApiKeys: size is at least 1")
        if (settings.client_id is None) != (settings.client_secret is None):
            raise ValueError("ApiKeys: client_id and client_secret belong together")
        self._settings = settings
        self._audience = audience
        self._clock = clock
        self._wait = wait
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._tokens: dict[bytes, Outcome] = {}
        self._refusals: dict[bytes, Outcome] = {}
        self._running: dict[bytes, Future[Outcome]] = {}

    def verify(
        self, key: str, address: str | None, post: Post, check: Callable[[str], Principal]
    ) -> Principal:
        """The principal of a key; `check` verifies an access token. Raises `AuthError`."""
        place = self._place(key, address)
        for again in (True, False):
            found = self._ask(key, address, place, post)
            if isinstance(found, Future):
                try:
                    found = found.result(self._wait)
                except FutureTimeout:
                    raise AuthError("api_keys_unavailable", _OUTAGE) from None
            try:
                return check(_token(found))
            except AuthError as refused:
                if not (again and self._forget(place, found, refused)):
                    raise
        raise AssertionError

    async def verify_async(
        self, key: str, address: str | None, post: Post, check: Callable[[str], Awaitable[Principal]]
    ) -> Principal:
        """`verify` for event loops."""
        place = self._place(key, address)
        for again in (True, False):
            found = self._ask(key, address, place, post)
            if isinstance(found, Future):
                done, _ = await asyncio.wait({asyncio.wrap_future(found)}, timeout=self._wait)
                if not done:
                    raise AuthError("api_keys_unavailable", _OUTAGE)
                found = found.result()
            try:
                return await check(_token(found))
            except AuthError as refused:
                if not (again and self._forget(place, found, refused)):
                    raise
        raise AssertionError

    def _place(self, key: str, address: str | None) -> bytes:
        if not well_formed(key):
            raise AuthError("api_key", "no API key has this form or this checksum")
        where = address or "" if self._settings.client_id is not None else ""
        return sha256(f"{key} {where}".encode("utf-8", "surrogatepass")).digest()

    def _ask(self, key: str, address: str | None, place: bytes, post: Post) -> "Outcome | Future[Outcome]":
        now = self._clock()
        if self._pid != os.getpid():
            # threads do not survive a fork
            self._begin()
        with self._lock:
            known = self._tokens.get(place) or self._refusals.get(place)
            if known is not None and now < known.until:
                return known
            running = self._running.get(place)
            if running is not None:
                return running
            if len(self._running) >= MOST_AT_ONCE:
                raise AuthError("api_keys_unavailable", "too many API keys are being exchanged")
            running = self._running[place] = Future[Outcome]()
        form = self._form(key, address)
        threading.Thread(
            target=self._exchange, args=(place, form, post, running), name="doorward-api-key", daemon=True
        ).start()
        return running

    def _form(self, key: str, address: str | None) -> dict[str, str]:
        form = {"grant_type": GRANT_TYPE, "api_key": key, "resource": self._audience}
        settings = self._settings
        if settings.client_id is not None and settings.client_secret is not None:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
            if address:
                form["caller_address"] = address
        return form

    def _exchange(self, place: bytes, form: dict[str, str], post: Post, running: "Future[Outcome]") -> None:
        began = self._clock()
        try:
            outcome = _outcome(post(form), began)
        except (ConnectionError, DecodeError, ValueError):
            outcome = Outcome(began, refused=AuthError("api_keys_unavailable", _OUTAGE))
        with self._lock:
            self._running.pop(place, None)
            if outcome.refused is None:
                self._refusals.pop(place, None)
                _keep(self._tokens, place, outcome, self._settings.size)
            elif outcome.until > began:
                self._tokens.pop(place, None)
                _keep(self._refusals, place, outcome, MOST_REFUSED)
        running.set_result(outcome)

    def _forget(self, place: bytes, found: Outcome, refused: AuthError) -> bool:
        """Whether another exchange may help. Only the token that was refused is forgotten, not one that another request just got."""
        if refused.reason not in ("expired", "revoked") or found.refused is not None:
            return False
        with self._lock:
            if self._tokens.get(place) is found:
                del self._tokens[place]
        return True


def _token(found: Outcome) -> str:
    if found.refused is not None:
        # an exception belongs to one request: each raise adds to its traceback
        raise AuthError(found.refused.reason, found.refused.detail)
    return found.token


def _outcome(answer: ExchangeAnswer, now: float) -> Outcome:
    if answer.status == 200:
        body = _decode(answer.body)
        if body.access_token is UNSET or body.expires_in is UNSET:
            raise ValueError("no token in the answer")
        return Outcome(now + body.expires_in, body.access_token)
    if answer.status in (400, 429):
        refused = AuthError("api_key", "the issuer refuses this API key here and now")
        return Outcome(now + REFUSED_FOR, refused=refused)
    # 401: the API's own credential is wrong, which is no fault of the caller
    return Outcome(now, refused=AuthError("api_keys_unavailable", f"{_OUTAGE}: status {answer.status}"))


def _keep(known: dict[bytes, Outcome], place: bytes, outcome: Outcome, most: int) -> None:
    known.pop(place, None)
    if len(known) >= most:
        del known[next(iter(known))]
    known[place] = outcome
