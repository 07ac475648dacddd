"""Query parameters of a PostgreSQL URL, as libpq, poolers and hosting companies write them.

The client library understands some of libpq's parameters and sends all others to the server, which refuses unknown
ones. So each parameter is handled here, passed on, ignored with a line in the log, or refused where ignoring it would
be less safe.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from msgspec import Struct, structs

from doorward.storage.postgres.options import PostgresOptions

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})
# Other drivers' `ssl`, as the equivalent sslmode.
_SSL: Final = (
    dict.fromkeys(("true", "1", "on", "yes", "no-verify"), "require")
    | dict.fromkeys(("false", "0", "off", "no"), "")
    | {mode: mode for mode in SSL_MODES}
)
_TLS_VERSIONS: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")

# Handled by the client library.
_PASSED: Final = frozenset(
    (
        "host port dbname database user password passfile service sslmode sslcert sslkey sslrootcert sslcrl "
        "sslpassword sslnegotiation ssl_min_protocol_version ssl_max_protocol_version target_session_attrs "
        "krbsrvname gsslib application_name options search_path statement_timeout lock_timeout "
        "tcp_keepalives_idle tcp_keepalives_interval tcp_keepalives_count"
    ).split()
)
# Allowed values, where they are limited.
_CHOICES: Final = {
    "sslmode": (*SSL_MODES, "no-verify"),
    "sslnegotiation": ("postgres", "direct"),
    "channel_binding": ("disable", "prefer", "require"),
    "target_session_attrs": ("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
    "ssl_min_protocol_version": _TLS_VERSIONS,
    "ssl_max_protocol_version": _TLS_VERSIONS,
    "gssencmode": ("disable", "prefer", "require"),
    "gsslib": ("gssapi", "sspi"),
    "sslaccept": ("strict", "accept_invalid_certs"),
    "requiressl": ("0", "1"),
}
_POOL_SIZE: Final = "how many connections there are says postgres.pool_size"
_POOL_WAIT: Final = "how long a request waits for a connection says postgres.pool_wait"
_DEAD: Final = "dead connections are found by the server's own means"
# These have no effect here.
_NO_EFFECT: Final = dict.fromkeys(
    (
        "pool_mode pool_max_conn_lifetime pool_max_conn_idle_time max_idle_connection_lifetime "
        "fallback_application_name client_encoding encoding sslcompression sslsni sslcertmode gssdelegation "
        "min_protocol_version max_protocol_version uselibpqcompat workaround supa"
    ).split(),
    "",
)
# Ignored. The sentence goes to the log.
_LEFT_OUT: Final = _NO_EFFECT | {
    "connection_limit": _POOL_SIZE,
    "max_connections": _POOL_SIZE,
    "pool": _POOL_SIZE,
    "pool_size": _POOL_SIZE,
    "pool_max_conns": _POOL_SIZE,
    "pool_min_conns": _POOL_SIZE,
    "pool_timeout": _POOL_WAIT,
    "socket_timeout": "how long a statement may take says postgres.statement_timeout",
    "keepalives": _DEAD,
    "keepalives_idle": _DEAD,
    "keepalives_interval": _DEAD,
    "keepalives_count": _DEAD,
    "tcp_user_timeout": _DEAD,
    "tcpKeepAlive": _DEAD,
    "hostaddr": "the server is found by its name",
    "load_balance_hosts": "the server that answers first is taken",
    "sslidentity": "name the certificate with sslcert and sslkey",
}
# Ignoring these would trust more than was asked for.
_REFUSED: Final = {
    "require_auth": "cannot be kept by this server's client library; leave it out, and let sslmode=verify-full say who the server is",
    "requirepeer": "cannot be kept by this server's client library; leave it out",
    "sslcrldir": "cannot be kept by this server's client library; name one file with sslcrl",
    "replication": "is for standbys and not for this server; leave it out",
}
_MEANT: Final = frozenset(
    (
        "channel_binding connect_timeout pgbouncer statement_cache_size prepareThreshold prepared_statements "
        "ssl sslaccept requiressl schema currentSchema gssencmode"
    ).split()
)
_ALL: Final = _PASSED | _MEANT | _LEFT_OUT.keys() | _REFUSED.keys()
_NEAR: Final = 0.85


class BadWord(ValueError):
    """A parameter that cannot be used. The text completes "database …", names the parameter and never its value."""


class UrlParameters(Struct, frozen=True):
    """A URL with its parameters interpreted.

    `url` is for the client library. `system_roots`: the server's certificate must have the host's name and be issued by
    an authority that this machine trusts. `connect_timeout` in seconds and `prepared_statements` override `[postgres]`
    unless None. `settings`: names of the server settings that the URL sets. `notes`: sentences about parameters that
    are handled differently than written.
    """

    url: str
    system_roots: bool = False
    connect_timeout: int | None = None
    prepared_statements: bool | None = None
    settings: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def understood(url: str) -> UrlParameters:
    """Interpret a URL. Raises `BadWord`."""
    place, mark, query = url.partition("?")
    if not mark:
        return UrlParameters(url)
    # as in the client library: the last of two values counts, an empty one is ignored
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise BadWord("has more words after the question mark than can be meant") from None
    given = {name: value for name, value in pairs if value}
    notes: list[str] = []
    for name, value in given.items():
        _check(name, value)
        if _LEFT_OUT.get(name):
            notes.append(f"{name} is left out: {_LEFT_OUT[name]}")
    kept = {name: value for name, value in given.items() if name not in _LEFT_OUT and name not in _MEANT}
    named = place.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if "hostaddr" in given and not named:
        kept.setdefault("host", given["hostaddr"])
    _encryption(given, kept)
    _schema(given, kept)
    system_roots = _identity(given, kept, notes)
    return UrlParameters(
        url=f"{place}?{urlencode(kept, quote_via=quote)}" if kept else place,
        system_roots=system_roots,
        connect_timeout=_seconds(given.get("connect_timeout"), notes),
        prepared_statements=_prepared(given, notes),
        settings=frozenset(kept),
        notes=tuple(notes),
    )


def with_words(options: PostgresOptions, words: UrlParameters) -> PostgresOptions:
    """The options, overridden by the URL."""
    changes: dict[str, int | bool] = {}
    if words.connect_timeout is not None:
        changes["connect_timeout"] = words.connect_timeout
    if words.prepared_statements is not None:
        changes["prepared_statements"] = words.prepared_statements
    return structs.replace(options, **changes)


def missing_file(url: str) -> tuple[str, str] | None:
    """(parameter, path) of a certificate file that the URL names and that does not exist; None if there is none."""
    given = dict(parse_qsl(understood(url).url.partition("?")[2]))
    if given.get("sslmode") not in _ENCRYPTED:
        return None
    for word in _FILES:
        if word in given and absent(given[word]):
            return word, given[word]
    return None


def absent(path: str) -> bool:
    """Whether the file certainly does not exist: in a folder that this user may not read, a later open will show."""
    try:
        return not Path(path).is_file()
    except OSError:
        return False


def _check(name: str, value: str) -> None:
    if name in _REFUSED:
        raise BadWord(f"has the word {name}, which {_REFUSED[name]}")
    if name not in _ALL:
        near = get_close_matches(name, _ALL, n=1, cutoff=_NEAR)
        if near:
            raise BadWord(f"has the word {name[:40]} after the question mark. Did you mean {near[0]}?")
    choices = _CHOICES.get(name)
    if choices is not None and value not in choices:
        raise BadWord(f"has a {name} that is none of {', '.join(choices)}")
    if name == "ssl" and value.lower() not in _SSL:
        raise BadWord(f"has an ssl that is none of true, false, {', '.join(SSL_MODES)}")
    if name == "gssencmode" and value == "require":
        raise BadWord("asks for GSSAPI encryption, which this server does not speak; use sslmode=verify-full")
    if name == "port" and not all(part.isascii() and part.isdigit() for part in value.split(",")):
        raise BadWord("has a port that is no number")
    if name == "connect_timeout" and not value.removeprefix("-").isdecimal():
        raise BadWord("has a connect_timeout that is no number of seconds")


def _encryption(given: dict[str, str], kept: dict[str, str]) -> None:
    """Other drivers' parameters for sslmode. The strictest of several counts: ignoring one would trust more than was
    asked for."""
    strict = given.get("sslaccept") == "strict"
    modes = [
        "require" if given.get("sslmode") == "no-verify" else given.get("sslmode", ""),
        _SSL[given.get("ssl", "false").lower()],
        "require" if given.get("requiressl") == "1" else "",
        "verify-full" if strict else "",
    ]
    if any(modes):
        kept["sslmode"] = max(filter(None, modes), key=SSL_MODES.index)
    if strict:
        kept.setdefault("sslrootcert", "system")
    if kept.get("sslnegotiation") == "direct" and not (
        kept.get("sslmode") in _ENCRYPTED
        or kept.get("sslrootcert") == "system"
        or given.get("channel_binding") == "require"
    ):
        raise BadWord("has sslnegotiation=direct, which needs sslmode=require, verify-ca or verify-full")


def _identity(given: dict[str, str], kept: dict[str, str], notes: list[str]) -> bool:
    """Whether this machine's trusted authorities verify the server; changes the parameters accordingly.

    `channel_binding=require` demands proof that there is no man in the middle. The client library cannot give that
    proof, and a certificate with the right name gives the same: so it is required, instead of ignoring the parameter
    and trusting any server.
    """
    if given.get("channel_binding") == "require":
        if kept.get("sslrootcert", "system") == "system":
            kept["sslrootcert"] = "system"
            if given.get("sslmode") != "verify-full" or given.get("sslrootcert") is None:
                notes.append(
                    "channel_binding=require is kept by checking the server's certificate and name (sslmode=verify-full, "
                    "sslrootcert=system)"
                )
        elif kept.get("sslmode") != "verify-ca":
            kept["sslmode"] = "verify-full"
    if kept.get("sslrootcert") != "system":
        return False
    # libpq too requires at least verify-full here
    kept["sslmode"] = "verify-full"
    del kept["sslrootcert"]
    return True


def _schema(given: dict[str, str], kept: dict[str, str]) -> None:
    for name in ("schema", "currentSchema"):
        if given.get(name, "public") != "public":
            kept.setdefault("search_path", given[name])


def _seconds(text: str | None, notes: list[str]) -> int | None:
    """libpq's `connect_timeout`, where zero and less mean for ever: no request waits that long here."""
    if text is None:
        return None
    seconds = int(text[:10])
    if 1 <= seconds <= 60:
        return seconds
    notes.append("connect_timeout is not 1 to 60 seconds: postgres.connect_timeout counts")
    return None


def _prepared(given: dict[str, str], notes: list[str]) -> bool | None:
    """Other drivers' parameters for a pooler that assigns a connection per transaction."""
    off = (
        given.get("pgbouncer", "").lower() in {"true", "1"}
        or given.get("statement_cache_size") == "0"
        or given.get("prepareThreshold") == "0"
        or given.get("prepared_statements", "").lower() in {"false", "0"}
    )
    if not off:
        return None
    notes.append("nothing is prepared or kept on a connection, as with postgres.prepared_statements = false")
    return False
