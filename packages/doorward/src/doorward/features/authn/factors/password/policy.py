"""Check of a new password in a thread, off the event loop; for pages and commands."""

from __future__ import annotations

import asyncio
from typing import Final, final

from msgspec import Struct, field

from doorward.core.errors import HashingBusy
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret
from doorward.core.ports.breached import BreachedList
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.factors.password.rules.password import Weak

MOST_WAITING: Final = 32


@final
class JudgePassword(Struct, kw_only=True):
    """`brand` and `issuer_host` are words on which no password for this service may be based.

    Only one estimate runs at a time, and a limited number waits. The estimate is pure Python: a second one in parallel makes nothing
    faster, and two dozen take the interpreter from every token request for a fifth of a second at a time.
    """

    policy: PasswordPolicy
    listed: BreachedList
    issuer_host: str
    brand: str
    _running: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: int = 0

    def measure(self, password: Secret, *, second_factor: bool) -> Weak | None:
        """Check the length only, which costs nothing."""
        return rule.measure(password.reveal(), self.policy, second_factor=second_factor)

    async def judge(
        self, password: Secret, *, email: str, name: str | None, second_factor: bool
    ) -> Weak | None:
        """None when the password may be set. The length is checked first, so that only real candidates cost thread time. Raises
        `HashingBusy` when too many are waiting."""
        typed = password.reveal()
        wrong = self.measure(password, second_factor=second_factor)
        if wrong is not None:
            return wrong
        words = rule.context_words(
            email=email, name=name, issuer_host=self.issuer_host, brand=self.brand, more=self.policy.words
        )
        # The estimate takes up to about 60 ms, which would delay every token request if it ran on the event loop.
        if self._waiting >= MOST_WAITING:
            raise HashingBusy
        self._waiting += 1
        try:
            async with self._running:
                return await asyncio.to_thread(
                    rule.judge,
                    typed,
                    self.policy,
                    second_factor=second_factor,
                    words=words,
                    listed=self.listed.contains,
                )
        finally:
            self._waiting -= 1

    def minimum(self, *, second_factor: bool) -> int:
        """The minimum number of characters, for the page to show."""
        return rule.minimum(self.policy, second_factor=second_factor)
