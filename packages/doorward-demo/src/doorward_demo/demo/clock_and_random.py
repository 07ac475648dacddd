"""Clock and random values of the demo's programs, in this module only.

The demo stands for programs that others write around Doorward, so it uses none of the server's adapters.
"""

from __future__ import annotations

import secrets  # noqa: TID251 - an app of its own, with its own random numbers
import time

from doorward_verify.encoding import b64url_encode


def now() -> float:
    """Seconds since the epoch."""
    return time.time()  # noqa: TID251 - an app of its own, with its own clock


def token() -> str:
    """32 random bytes, base64url: for state, nonce, code_verifier (43 characters, RFC 7636 §4.1) and session ids."""
    return b64url_encode(secrets.token_bytes(32))
