"""Reader of signed heads: signature, type and issuer are verified with the server's own keys, those that were rotated out included."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from doorward.core.ports.keys import TokenSigner
from doorward.features.audit.rules.heads import TYP, HeadClaims
from doorward_verify import jws
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed

_ALGORITHMS = ("ES256", "RS256", "Ed25519")
_decode = msgspec.json.Decoder(HeadClaims).decode


class BadHead(Exception):
    """A text is no head of this server; the message says why. `key_unknown`: it may have been one, under a key that was revoked."""

    def __init__(self, why: str, *, key_unknown: bool = False) -> None:
        self.key_unknown = key_unknown
        super().__init__(why)


class HeadReader(Struct, frozen=True, kw_only=True):
    """Reads heads of the server `issuer`. A key that was revoked proves nothing any more."""

    signer: TokenSigner
    issuer: str

    def read(self, text: str) -> HeadClaims:
        """The claims of a head. Raises `BadHead`."""
        try:
            try:
                found = jws.verify(text, self.signer.keys(), algorithms=_ALGORITHMS, types=(TYP,))
            except AuthError as problem:
                if problem.reason != "unknown_key":
                    raise
                found = jws.verify(text, self.signer.retired_keys(), algorithms=_ALGORITHMS, types=(TYP,))
            head = _decode(found.payload)
        except AuthError as problem:
            raise BadHead(problem.detail, key_unknown=problem.reason == "unknown_key") from None
        except (Malformed, msgspec.MsgspecError) as problem:
            raise BadHead(str(problem)) from None
        if head.iss != self.issuer:
            raise BadHead(f"it is a head of {head.iss}, and this server is {self.issuer}")
        return head
