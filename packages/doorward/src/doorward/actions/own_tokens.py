"""Reading ID tokens of our own that come back as hints (OpenID Connect Core §3.1.2.1, RP-Initiated Logout 1.0 §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from doorward.ports.keys import Signer
from doorward.rules.revoke.logout import Hint
from doorward_verify import jws
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.refused import Refused

ALGORITHMS = ("ES256", "RS256", "Ed25519")


@dataclass(frozen=True, slots=True)
class OwnTokens:
    """Verifies id_token_hint: our signature, our issuer, type JWT. An expired hint still tells who was meant."""

    signer: Signer
    issuer: str

    def hint(self, token: str) -> Hint | None:
        """What the hint says, or None when it is not one of ours (then it is as if it was not sent)."""
        try:
            verified = jws.verify(token, self.signer.keys(), algorithms=ALGORITHMS, types=("jwt",))
            claims: dict[str, Any] = json_object(verified.payload)
        except (Refused, Malformed):
            return None
        sub, sid, aud = claims.get("sub"), claims.get("sid"), claims.get("aud")
        if claims.get("iss") != self.issuer or not isinstance(sub, str):
            return None
        audiences: list[Any] = aud if isinstance(aud, list) else [aud]  # pyright: ignore[reportUnknownVariableType]
        return Hint(
            sub=sub,
            sid=sid if isinstance(sid, str) else None,
            aud=tuple(item for item in audiences if isinstance(item, str)),
        )
