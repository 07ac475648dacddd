"""Request of an app to the token endpoint, or to another endpoint that authenticates apps, as one value."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from doorward.core.model.caller import Caller


class TokenRequest(Struct, frozen=True, kw_only=True):
    """The parts of a request that grants and client authentication may read (OAuth 2.1 §3.2). Sender constraints are
    checked against the same request: DPoP against `method` and `url` (RFC 9449 §4.3), mutual TLS against `certificate`
    (RFC 8705 §3).

    `form` holds the parameters that have a value; `authorization` is the header's value. `url` is this server's own
    name for the endpoint, without query. `certificate` is the client's TLS certificate (DER), when the connection has
    one. `now` is the request's one time, in seconds since the epoch.
    """

    form: Mapping[str, str]
    method: str
    url: str
    caller: Caller
    now: int
    authorization: str | None = None
    certificate: bytes | None = None

    def __repr__(self) -> str:
        return "TokenRequest(***)"
