"""State of a journey to a provider and back: made and recognised by this server's key, for one browser, and taken once (R91).

Nothing is stored when somebody leaves for a provider. Nonce and PKCE verifier are derived from the state, so that they need no place either.
"""

from __future__ import annotations

import hmac
from typing import Final, final

import msgspec
from msgspec import Struct

from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import SecureRandom
from doorward.storage.sql.store import Store
from doorward_verify.encoding import Malformed, b64url_decode, b64url_encode

STATE_PURPOSE: Final = "provider-state"
NONCE_PURPOSE: Final = "provider-nonce"
VERIFIER_PURPOSE: Final = "provider-verifier"
CLAIM: Final = "provider"
TTL: Final = 1800
"""Seconds for the sign-in at the provider, with all that it asks for."""
_MAX_STATE: Final = 1000


class ProviderJourney(Struct, frozen=True, array_like=True):
    """Where somebody went, when (seconds), and why. `sign_in` is the id of the sign-in, "" for a connection from the account pages; then
    `session` is that of the person who connects. `anew`: they have to sign in there again."""

    once: str
    provider: str
    started: int
    sign_in: str = ""
    session: str = ""
    anew: bool = False


@final
class ProviderStates(Struct, frozen=True, kw_only=True):
    """Makes and reads `state`. All of it is in the address, where the person and the provider can read it: it holds no secret."""

    store: Store
    sealer: Sealer
    random: SecureRandom

    def made(
        self,
        provider: str,
        *,
        browser_hash: bytes,
        now: int,
        sign_in: str = "",
        session: str = "",
        anew: bool = False,
    ) -> str:
        """The value of `state` for this browser."""
        journey = ProviderJourney(self.random.token(16), provider, now, sign_in, session, anew)
        said = b64url_encode(msgspec.json.encode(journey))
        return f"{said}.{self._tag(said, browser_hash)}"

    def read(self, state: str, provider: str, *, browser_hash: bytes, now: int) -> ProviderJourney | None:
        """The journey, if this server made the state for this browser and this provider, lately. It may have been used."""
        said, _, tag = state[:_MAX_STATE].partition(".")
        if not hmac.compare_digest(tag.encode("utf-8", "replace"), self._tag(said, browser_hash).encode()):
            return None
        return _parsed(said, provider, now)

    def stated(self, state: str, provider: str, *, now: int) -> ProviderJourney | None:
        """What a state says that may be anybody's: nothing is proven by it, but where a browser that lost its cookies wanted to go."""
        return _parsed(state[:_MAX_STATE].partition(".")[0], provider, now)

    async def take(self, journey: ProviderJourney, now: int) -> bool:
        """Use it up. False: it was used before, as by the back button, a second tab, or a copied address."""
        until = journey.started + TTL + 1
        return await self.store.commit(self.store.replay_cache.claim(CLAIM, journey.once, until, now=now))

    def nonce(self, state: str) -> str:
        """The nonce of the request with this state (OpenID Connect Core §15.5.2)."""
        return self.sealer.tag(NONCE_PURPOSE, state)

    def verifier(self, state: str) -> str:
        """The PKCE verifier of the request with this state (RFC 7636 §4.1)."""
        return self.sealer.tag(VERIFIER_PURPOSE, state)

    def _tag(self, said: str, browser_hash: bytes) -> str:
        return self.sealer.tag(STATE_PURPOSE, f"{said}.{browser_hash.hex()}")


def _parsed(said: str, provider: str, now: int) -> ProviderJourney | None:
    try:
        journey = msgspec.json.decode(b64url_decode(said), type=ProviderJourney)
    except (Malformed, msgspec.MsgspecError):
        return None
    lately = 0 <= now - journey.started < TTL
    return journey if journey.provider == provider and lately else None
