"""What the browser is asked, and what its answers are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.passkey import Passkey
from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.factors.passkeys.rules.ceremony import OFFERED, ChallengeState, Expected
from doorward.features.authn.factors.passkeys.rules.challenge import (
    CHALLENGE_PURPOSE,
    RANDOM_BYTES,
    TTL,
    ChallengeContext,
    ChallengeUse,
    parts,
)
from doorward.features.authn.factors.passkeys.rules.response import padless, unpadded
from doorward.storage.sql.store import Store, Write

_MILLISECONDS: Final = 1000
Options = dict[str, Any]
"""Options in the JSON form of the specification (Level 3 §5.1.8, §5.1.9)."""


@final
class PasskeyCeremonies(Struct, frozen=True, kw_only=True):
    """`origin` is that of this server's pages, where passkeys are added; `related` are other sites and apps, where they are used.
    `attested`: authenticators are asked who made them."""

    store: Store
    random: SecureRandom
    sealer: Sealer
    rp_id: str
    brand: str
    origin: str
    related: tuple[str, ...] = ()
    attested: bool = False

    def to_create(
        self,
        account: Account,
        passkeys: Sequence[Passkey],
        *,
        binding: str,
        browser_hash: bytes,
        now: int,
        silently: bool = False,
    ) -> Options:
        """Options to create a passkey of the account, whose other ones are `passkeys`."""
        use: ChallengeUse = "create_silently" if silently else "create"
        return {
            "rp": {"id": self.rp_id, "name": self.brand},
            "user": {
                "id": padless(account.id.encode()),
                "name": account.shown_as,
                "displayName": account.name or account.shown_as,
            },
            "challenge": self._challenge(use, browser_hash, binding, now),
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in OFFERED],
            "timeout": TTL * _MILLISECONDS,
            "excludeCredentials": _described(passkeys),
            "authenticatorSelection": {
                "residentKey": "required" if silently else "preferred",
                "requireResidentKey": silently,
                "userVerification": "preferred",
            },
            "attestation": "direct" if self.attested and not silently else "none",
            "extensions": {"credProps": True},
        }

    def to_get(
        self, passkeys: Sequence[Passkey] | None, *, binding: str, browser_hash: bytes, now: int
    ) -> Options:
        """Options to use a passkey. None: it is not known yet whose; then any may answer, and it alone has to be enough. The list is
        sent only after another factor: before that it would show who has an account here (R88)."""
        return {
            "challenge": self._challenge("get", browser_hash, binding, now),
            "rpId": self.rp_id,
            "timeout": TTL * _MILLISECONDS,
            "allowCredentials": _described(passkeys or ()),
            "userVerification": "required" if passkeys is None else "preferred",
        }

    def expected(
        self,
        use: ChallengeUse,
        *,
        binding: str,
        browser_hash: bytes,
        now: int,
        first: bool = False,
    ) -> Expected:
        """What an answer to these options has to hold. `first`: the passkey comes first."""
        context = self._context(use, browser_hash, binding)

        def state(challenge: bytes) -> ChallengeState:
            return context.state(challenge, now)

        return Expected(
            challenge=state,
            origins=(self.origin, *self.related) if use == "get" else (self.origin,),
            rp_id=self.rp_id,
            user_verification=first,
            user_presence=use != "create_silently",
            user_handle=first,
        )

    def claim(self, challenge: bytes, now: int) -> Write:
        """Spend a challenge that was accepted. Guarded: loses when it was spent before."""
        random, ends = parts(challenge)
        return self.store.replay_cache.claim(CHALLENGE_PURPOSE, random.hex(), ends, now=now)

    def _challenge(self, use: ChallengeUse, browser_hash: bytes, binding: str, now: int) -> str:
        random = unpadded(self.random.token(RANDOM_BYTES))
        return padless(self._context(use, browser_hash, binding).make(random, now))

    def _context(self, use: ChallengeUse, browser_hash: bytes, binding: str) -> ChallengeContext:
        def tag(text: str) -> str:
            return self.sealer.tag(CHALLENGE_PURPOSE, text)

        return ChallengeContext(use=use, browser_hash=browser_hash, binding=binding, tag=tag)


def _described(passkeys: Sequence[Passkey]) -> list[Mapping[str, Any]]:
    return [
        {"type": "public-key", "id": padless(one.credential_id), "transports": list(one.transports)}
        for one in passkeys
        if one.suspect_at is None
    ]
