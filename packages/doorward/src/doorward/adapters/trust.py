"""Which authorities are trusted by what this server calls: the apps that are told of log-outs, and the mail server."""

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
    """A client's TLS context: certificate and host name are checked against the authorities of SSL_CERT_FILE or SSL_CERT_DIR where
    one is set, else against those of the machine; and against those of `ca_file` (PEM) beside them. Raises OSError for `ca_file`.

    A variable that names nothing is told in the log and passed over, as OpenSSL does.
    """
    # imported here: the settings look at a file of authorities, too, and every command reads them
    import httpx2

    broken = broken_variable()
    if broken is not None:
        _log.warning("trust.variable", reason=broken)
    made = httpx2.create_ssl_context(trust_env=broken is None)
    if ca_file is not None:
        made.load_verify_locations(ca_file)
    return made


def broken_variable() -> str | None:
    """What is wrong with SSL_CERT_FILE or SSL_CERT_DIR, the first of them that counts; None: nothing."""
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
    """Why a file of authorities cannot be used, by using it; None: it can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except FileNotFoundError:
        return f"names {path}, and there is no such file"
    except OSError as problem:
        return f"names {path}, which holds no PEM certificates that can be read ({problem.strerror or type(problem).__name__})"
    return None


def why(error: BaseException) -> str:
    """Why a call failed, in words that are safe to log: nothing of what the other side sent."""
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
