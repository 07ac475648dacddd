"""Answers that a provider posts from its own page (OAuth 2.0 Form Post Response Mode §2), carried to a GET of this server.

The browser sends no SameSite=Lax cookie with such a post, so nobody can be recognised in it. What it says is sealed into the address of the
callback: the following GET comes with the cookies, and checks state, nonce and browser as for any other provider. Nothing is stored, so
nobody can fill a table by posting, and the answer in the address is of no use to whoever reads it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

import msgspec
from msgspec import Struct

from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward_verify.encoding import Malformed, b64url_decode, b64url_encode

ANSWER: Final = "answer"
"""The parameter of the callback that carries a sealed answer."""
ANSWER_PURPOSE: Final = "provider-answer"
TTL: Final = 600
"""Seconds from the post to the GET. The browser makes it at once; later ones are its back button."""
LONGEST: Final = {"code": 2048, "state": 700, "iss": 300, "error": 60, "name": 120}
"""What is carried, and how many characters of it at most. Together they fit into the 8 KiB of a request line that proxies allow."""
_MAX_SEALED: Final = 6000


class _Sealed(Struct, frozen=True, array_like=True):
    at: int
    fields: dict[str, str]


@final
class SealedAnswers(Struct, frozen=True, kw_only=True):
    """Seals the fields of a post, and opens them in the GET that follows."""

    sealer: Sealer
    clock: Clock

    def sealed(self, provider: str, fields: Mapping[str, str]) -> str:
        """The value of `answer` for the fields that matter. One that is longer than any provider's is left out."""
        kept = {name: fields[name] for name, most in LONGEST.items() if 0 < len(fields.get(name, "")) <= most}
        clear = msgspec.json.encode(_Sealed(self.clock.now(), kept))
        return b64url_encode(self.sealer.seal(ANSWER_PURPOSE, provider, clear))

    def opened(self, provider: str, sealed: str) -> dict[str, str]:
        """The fields, if this server sealed them a moment ago for this provider; else none."""
        if len(sealed) > _MAX_SEALED:
            return {}
        try:
            clear = self.sealer.open(ANSWER_PURPOSE, provider, b64url_decode(sealed))
            found = msgspec.json.decode(clear, type=_Sealed)
        except (Malformed, ValueError):
            return {}
        return found.fields if 0 <= self.clock.now() - found.at < TTL else {}
