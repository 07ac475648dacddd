"""May this password be set? The rule, beside the event loop; for pages and commands alike."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from doorward.model.policy import PasswordPolicy
from doorward.model.secret import Secret
from doorward.ports.breached import BreachedList
from doorward.rules.prove import password as rule
from doorward.rules.prove.password import Weak


@dataclass(frozen=True, slots=True)
class JudgePassword:
    """`brand` and `issuer_host` are words that nobody should build a password for this service on."""

    policy: PasswordPolicy
    listed: BreachedList
    issuer_host: str
    brand: str

    async def __call__(
        self, password: Secret, *, email: str, name: str | None, second_factor: bool
    ) -> Weak | None:
        """None when it may be set. The length is looked at first, so that only real candidates cost a thread's time."""
        typed = password.reveal()
        wrong = rule.measure(typed, self.policy, second_factor=second_factor)
        if wrong is not None:
            return wrong
        words = rule.context_words(email=email, name=name, issuer_host=self.issuer_host, brand=self.brand)
        # Up to some 60 ms of estimating: long enough to be felt by every token request if it ran on the loop.
        return await asyncio.to_thread(
            rule.judge, typed, self.policy, second_factor=second_factor, words=words, listed=self.listed
        )

    def minimum(self, *, second_factor: bool) -> int:
        """The least number of characters, for the page to say beforehand."""
        return rule.minimum(self.policy, second_factor=second_factor)
