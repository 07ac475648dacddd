"""PKCE, RFC 7636, with S256 only: proof that an app redeems the code that it requested."""

from __future__ import annotations

import hashlib

from doorward_verify.encoding import b64url_encode


def challenge(verifier: str) -> str:
    """code_challenge for a code_verifier (§4.2)."""
    return b64url_encode(hashlib.sha256(verifier.encode("ascii")).digest())
