"""An API in tests: verifies tokens with doorward-verify, which follows the server's keys and revocations."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

from doorward_verify import AuthError, Principal, ResourceServer
from tests.waiting import until


class Api:
    """One API, for the duration of a `with` block. `clock` is the server's, which a test may control."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.auth = ResourceServer(issuer, audience, clock=clock, tls=tls)

    def __enter__(self) -> Api:
        self.auth.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.auth.close()

    def verify(self, token: str) -> Principal:
        """The caller of a token. Raises `Refused`."""
        return self.auth.verify(token)

    def refusal(self, token: str) -> str | None:
        """Why the token is refused; None when it is accepted."""
        try:
            self.auth.verify(token)
        except AuthError as why:
            return why.reason
        return None

    def refused_after(self, token: str) -> tuple[float, str]:
        """For how many seconds from now the token is still accepted, and the reason of the refusal after that."""
        began = time.monotonic()
        until(lambda: self.refusal(token) is not None, lambda: "still taken")
        return time.monotonic() - began, self.refusal(token) or ""
