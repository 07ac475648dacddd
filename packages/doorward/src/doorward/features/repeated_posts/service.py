"""Single processing of a form that is posted twice: the second post waits for the first, in any process, and gets its response."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, final

import msgspec
from msgspec import Struct

from doorward.core.errors import StoreConflict, StoreUnavailable
from doorward.core.model.policy import SessionPolicy
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.features.rate_limits.rules.sign_in_starts import SignInRateLimiter
from doorward.features.repeated_posts import rules as repeat
from doorward.features.repeated_posts.rules import Kept
from doorward.features.sessions.rules import session as session_rule
from doorward.storage.sql.store import Store

_PURPOSE: Final = "answered post"
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Kept)


@final
class PostOnce(Struct, kw_only=True):
    """Claims a post in the database before processing, and stores its response there for a few seconds, sealed under the browser
    cookie, which the database does not contain.

    `posts_of` limits the writes caused by one network: beyond the limit, each post is processed.
    """

    store: Store
    sealer: Sealer
    clock: Clock
    sessions: SessionPolicy
    limiter: SignInRateLimiter
    _waiting: int = 0

    async def first(self, browser: str, post: str, session: bytes | None, *, address: str) -> bytes | bool:
        """The response of the first identical post; else whether the caller has to `keep` or `drop` its own.

        `post` is a keyed hash of the whole request, `session` the hash of its session cookie, `address` the network for which it is
        counted. Raises `StoreUnavailable`.
        """
        now = self.clock.now()
        if self.limiter.full(address, now) is not None:
            return False
        self.limiter.note(address, now)
        place = repeat.place(browser)
        if await self._claim(place, post):
            return True
        if self._waiting >= repeat.WAITING:
            return False
        self._waiting += 1
        try:
            for pause in repeat.PAUSES:
                sealed = await self.store.posts.answer(place, post, self.clock.now())
                if sealed:
                    return await self._opened(browser, sealed, session)
                # the first one may have failed; then this one is the first
                if sealed is None and await self._claim(place, post):
                    return True
                await asyncio.sleep(pause)
        finally:
            self._waiting -= 1
        return False

    async def keep(self, browser: str, post: str, kept: Kept) -> None:
        """Store the response for the second post. Nothing is raised, since the first one is complete."""
        sealed = self.sealer.seal_under(browser, _PURPOSE, _encode(kept))
        if len(sealed) > repeat.MOST:
            await self.drop(browser, post)
            return
        place, until = repeat.place(browser), self.clock.now() + repeat.KEPT_FOR
        with suppress(StoreUnavailable, StoreConflict):
            await self.store.commit(self.store.posts.keep(place, post, sealed, until))

    async def drop(self, browser: str, post: str) -> None:
        """Release the claim of a failed post, so that a second one is processed."""
        with suppress(StoreUnavailable, StoreConflict):
            await self.store.commit(self.store.posts.drop(repeat.place(browser), post))

    async def forget(self, browser: str) -> None:
        """Delete the stored response after this browser was signed out."""
        with suppress(StoreUnavailable, StoreConflict):
            await self.store.commit(self.store.posts.forget(repeat.place(browser)))

    async def _claim(self, place: int, post: str) -> bool:
        now = self.clock.now()
        return await self.store.commit(self.store.posts.claim(place, post, now, now + repeat.CLAIMED_FOR))

    async def _opened(self, browser: str, sealed: bytes, session: bytes | None) -> bytes | bool:
        try:
            kept = _decoder.decode(self.sealer.open_under(browser, _PURPOSE, sealed))
        except (ValueError, msgspec.DecodeError):
            return False
        if not repeat.may_have(kept, session) or not await self._lives(kept.after):
            return False
        return kept.answer

    async def _lives(self, after: bytes | None) -> bool:
        """Whether the session after the response is still live; false after a sign-out."""
        if after is None:
            return True
        found = await self.store.sessions.by_secret(after)
        if found is None:
            return False
        account = await self.store.accounts.get(found.account_id)
        return session_rule.over(found, account, self.sessions, self.clock.now()) is None
