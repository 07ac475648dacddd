"""TLS trust for outgoing connections: apps that receive logout notices, and the mail server."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from doorward.adapters.logs import logger

VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_log = logger("trust")


def context(ca_file: str | None = None) -> ssl.SSLContext:
    """A client's TLS context: certificate and host name are checked against the authorities of SSL_CERT_FILE or
    SSL_CERT_DIR if one is set, else against those of the machine; and also against those of `ca_file` (PEM). Raises
    OSError for `ca_file`.

    A variable that names no existing file is logged and ignored, as OpenSSL does.
    """
    # imported here: the settings also check a file of authorities, and every command reads them
    import httpx2

    broken = broken_variable()
    if broken is not None:
        _log.warning("trust.variable", reason=broken)
    made = httpx2.create_ssl_context(trust_env=broken is None)
    if ca_file is not None:
        made.load_verify_locations(ca_file)
    return made


def broken_variable() -> str | None:
    """The problem with SSL_CERT_FILE or SSL_CERT_DIR, the first of them that is used; None: none."""
    for name in VARIABLES:
        path = os.environ.get(name)
        if not path:
            continue
        try:
            fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if name == "SSL_CERT_FILE":
                fresh.load_verify_locations(cafile=path)
            elif not Path(path).is_dir():
                return f"{name} names {path}, which is no folder"
        except OSError as problem:  # ssl.SSLError is one too
            return f"{name} names {path}, which holds no certificates ({problem.strerror or type(problem).__name__})"
        return None
    return None


def ca_file_problem(path: str) -> str | None:
    """The reason why a file of authorities cannot be used, found by loading it; None: it can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except FileNotFoundError:
        return f"names {path}, and there is no such file"
    except OSError as problem:
        return f"names {path}, which holds no PEM certificates that can be read ({problem.strerror or type(problem).__name__})"
    return None


def why(error: BaseException) -> str:
    """The reason of a failed call, in words that are safe to log: nothing that the other side sent."""
    for met in _chain(error):
        if isinstance(met, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {met.verify_message} (a private authority is named in `ca_file`)"
        if isinstance(met, ssl.SSLError):
            return f"TLS failed: {met.reason or 'unknown reason'}"
        if isinstance(met, OSError) and met.strerror:
            return f"{type(error).__name__}: {met.strerror}"
    return type(error).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
