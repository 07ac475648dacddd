"""Check of a new password, beside the event loop; for pages and commands alike."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final, final

from doorward.core.errors import HashingBusy
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret
from doorward.core.ports.breached import BreachedList
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.factors.password.rules.password import Weak

MOST_WAITING: Final = 32


@final
class _Turn:
    """One estimate at a time: it is Python from end to end, so that a second one beside it makes nothing quicker, and two
    dozen of them take the interpreter from every token request for a fifth of a second at a time."""

    __slots__ = ("_free", "_waiting")

    def __init__(self) -> None:
        self._free = asyncio.Lock()
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise HashingBusy
        self._waiting += 1
        try:
            await self._free.acquire()
        except BaseException:
            self._waiting -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._waiting -= 1
        self._free.release()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePassword:
    """`brand` and `issuer_host` are words that nobody should build a password for this service on."""

    policy: PasswordPolicy
    listed: BreachedList
    issuer_host: str
    brand: str
    turn: _Turn = field(default_factory=_Turn)

    def measure(self, password: Secret, *, second_factor: bool) -> Weak | None:
        """The length alone: what can be said for nothing."""
        return rule.measure(password.reveal(), self.policy, second_factor=second_factor)

    async def judge(
        self, password: Secret, *, email: str, name: str | None, second_factor: bool
    ) -> Weak | None:
        """None when it may be set. The length is looked at first, so that only real candidates cost a thread's time. Raises
        `HashingBusy` when too many are waiting."""
        typed = password.reveal()
        wrong = self.measure(password, second_factor=second_factor)
        if wrong is not None:
            return wrong
        words = rule.context_words(email=email, name=name, issuer_host=self.issuer_host, brand=self.brand)
        # Up to some 60 ms of estimating: long enough to be felt by every token request if it ran on the loop.
        async with self.turn:
            return await asyncio.to_thread(
                rule.judge,
                typed,
                self.policy,
                second_factor=second_factor,
                words=words,
                listed=self.listed.contains,
            )

    def minimum(self, *, second_factor: bool) -> int:
        """The least number of characters, for the page to say beforehand."""
        return rule.minimum(self.policy, second_factor=second_factor)
