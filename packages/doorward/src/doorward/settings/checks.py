"""Checks of single settings and of their combinations: what is wrong, and what would be right."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import parse_qsl, urlsplit

from doorward.adapters.trust import ca_file_problem
from doorward.core.model.mailbox import sender_of
from doorward.core.model.policy import MOST_WORDS
from doorward.core.model.section import Surroundings
from doorward.core.text import one_line
from doorward.core.web_origin import loopback, web_origin
from doorward.settings.tree import KeySettings, Settings
from doorward.storage.postgres.url_words import BadWord, absent, missing_file


def issuer_problem(issuer: str) -> str | None:
    """An issuer is an https URL without query or fragment (RFC 8414 §2); plain http only on this machine."""
    try:
        parts = urlsplit(issuer)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f'is "{issuer}", which is no URL; it should look like "https://auth.example.com"'
    if parts.scheme not in {"https", "http"} or not host:
        return f'is "{issuer}"; it should be a full address like "https://auth.example.com"'
    if parts.scheme == "http" and not loopback(host):
        return f'is "{issuer}"; it must begin with https:// (http:// is only for this machine, as in "http://localhost:8000")'
    if "?" in issuer or "#" in issuer:
        return "has a query or a fragment; an issuer has neither (RFC 8414 §2)"
    if "@" in parts.netloc:
        return "has a user name in it; leave out everything before the @"
    if issuer.endswith("/"):
        return f'ends with a slash; write "{issuer.rstrip("/")}"'
    if parts.netloc != parts.netloc.lower() or not issuer.startswith(("https://", "http://")):
        return f'has capital letters in scheme or host; write "{parts.scheme}://{parts.netloc.lower()}{parts.path}"'
    if not issuer.isascii() or any(character.isspace() or character in '"<>\\^`{|}' for character in issuer):
        return (
            "has a character that does not belong into a URL; write other scripts in their ASCII form (xn--…)"
        )
    if web_origin(issuer) is None:
        # the issuer is compared with values from browsers: this one could never match
        return f'is "{issuer}", and no browser can open that host; it should look like "https://auth.example.com"'
    return None


def database_problem(database: str) -> str | None:
    """What is wrong with the database setting as it was written."""
    scheme, separator, rest = database.partition("://")
    if separator and scheme.lower() in {"postgres", "postgresql"}:
        return _postgres_problem(database)
    if separator and scheme.lower().startswith(("postgres", "pgsql", "psql")):
        return f"begins with {scheme}://; write postgresql://user@host/database"
    if separator and scheme.lower() == "sqlite" and (rest[:1] != "/" or rest == "/"):
        # text after two slashes is a host: it would be ignored, and another file opened than the one intended
        return 'names no file; write three slashes and its path, as in "sqlite:///doorward.db"'
    if separator and scheme.lower() != "sqlite":
        return f"is of a kind that Doorward does not know ({scheme}); {_EITHER}"
    if not separator and scheme.lower().startswith(("postgres:", "postgresql:")):
        return "has no // after the colon; write postgresql://user@host/database"
    if _WORDS.match(database):
        # the libpq keyword form: taken as a file name, it would start an empty server and print its password everywhere
        return "is a list of words like host=… password=…; write postgresql://user@host/database"
    if database == ":memory:":
        return f"would forget everyone at the next start; {_EITHER}"
    if not database:
        return f"is empty; {_EITHER}"
    return None


_WORDS = re.compile(r"(?i)\s*(host|hostaddr|port|dbname|user|password|passfile|service|sslmode)\s*=")
_EITHER = 'use the path of a SQLite file, as in "doorward.db", or postgresql://user@host/database'


def _postgres_problem(database: str) -> str | None:
    # the message omits the URL: it may hold a password
    path = query = ""
    try:
        parts = urlsplit(database)
        path, query = parts.path, parts.query
        # reading the port checks it, for one host; several hosts have theirs after each name
        _ = parts.port if "," not in parts.netloc else None
        broken = "@" in path or bool(parts.fragment)
    except ValueError:
        broken = True
    if broken:
        return "is no URL of a PostgreSQL database: the port is no number, or the password holds one of / ? # [ ] @ unescaped (write %2F for /)"
    try:
        missing = missing_file(database)
    except BadWord as problem:
        return str(problem)
    if missing is not None:
        return f"names {missing[1]} as its {missing[0]}, and there is no such file"
    if len(path) < 2 and "dbname=" not in query and "database=" not in query:
        return "names no database after the host; write postgresql://user@host/database"
    return None


_CACHE_WORDS = frozenset(
    {"db", "username", "password", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"}
)
_CACHES = frozenset({"valkey", "valkeys", "redis", "rediss", "unix"})


def cache_problem(url: str) -> str | None:
    """What is wrong with the cache setting. The message repeats nothing of it, since it may hold a password."""
    fix = 'write it like "valkey://127.0.0.1:6379/0" (valkeys:// with TLS, unix:///path for a socket)'
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"is no URL; {fix}"
    if parts.scheme not in _CACHES:
        return f"does not begin with valkey://, valkeys://, redis://, rediss:// or unix://; {fix}"
    if parts.scheme == "unix" and not parts.path:
        return f"names no socket; {fix}"
    if parts.scheme != "unix" and not host:
        return f"names no host; {fix}"
    number = parts.path.strip("/")
    if parts.scheme != "unix" and number and not (number.isascii() and number.isdigit()):
        return f"names a database that is no number; {fix}"
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _CACHE_WORDS:
            # other options of the client library would change its behaviour, or stop the server at its start
            return (
                f"has a word after the question mark that is none of {', '.join(sorted(_CACHE_WORDS))}; {fix}"
            )
        if name == "db" and not (value.isascii() and value.isdigit()):
            return f"names a database that is no number; {fix}"
        if name == "ssl_cert_reqs" and value not in {"required", "optional", "none"}:
            return f"has an ssl_cert_reqs that is none of required, optional, none; {fix}"
    if find_spec("valkey") is None:
        return "is set, and the client for it is not installed; install the extra: pip install 'doorward[valkey]'"
    return None


def problems_of(settings: Settings) -> Iterator[str]:
    """Contradictions between settings. Each sentence begins with the name of the setting at fault."""
    if settings.development and not loopback(urlsplit(settings.issuer).hostname):
        yield f"development is true, but the issuer {settings.issuer} is not on this machine; development is only for http://localhost:…"
    if settings.ca_file is not None and (problem := ca_file_problem(settings.ca_file)) is not None:
        yield f"ca_file {problem}"
    if settings.directories.by_name and find_spec("ldap3") is None:
        yield "directories is set, and the library for it is not installed; install the extra: pip install 'doorward[ldap]'"
    server = settings.server
    if (server.tls_cert is None) != (server.tls_key is None):
        missing = "tls_key" if server.tls_key is None else "tls_cert"
        yield f"server.{missing} is missing: tls_cert and tls_key go together"
    yield from _absent("server.tls_cert", server.tls_cert)
    yield from _absent("server.tls_key", server.tls_key)
    if server.host.startswith("unix:") and not server.host.startswith("unix:/"):
        yield f'server.host is "{server.host}"; it should be a full path like "unix:/run/doorward/http.sock"'
    for proxy in server.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            yield f'server.trusted_proxies holds "{proxy}", which is no address or network ({error})'
    yield from _keys(settings.keys)
    mail = settings.mail
    if mail.host is not None and mail.sender is None:
        yield 'mail.sender is missing: the address that mail comes from, as in "Doorward <no-reply@example.com>"'
    if mail.user is not None and mail.password is None:
        yield "mail.password is missing: mail.user is set (or use mail.password_file)"
    if mail.sender is not None:
        try:
            sender_of(mail.sender)
        except ValueError as problem:
            yield f'mail.sender is "{mail.sender}", and {problem}'
    yield from _host("mail.host", mail.host)
    yield from _host("metrics.host", settings.metrics.host)
    yield from _host("server.host", server.host)
    if not one_line(settings.brand.name):
        yield "brand.name holds a line break or another character that nobody sees"
    if settings.metrics.port is not None and settings.metrics.port == settings.port:
        yield f"metrics.port is {settings.port}, the server's own port; take another one, or use metrics.token"
    if settings.sessions.idle > settings.sessions.absolute:
        yield "sessions.idle is longer than sessions.absolute; it can be at most as long"
    if settings.sessions.aal2_idle > settings.sessions.aal2_absolute:
        yield "sessions.aal2_idle is longer than sessions.aal2_absolute; it can be at most as long"
    passwords = settings.passwords
    if passwords.min_length_with_second_factor > passwords.min_length:
        yield "passwords.min_length_with_second_factor is longer than passwords.min_length; a second factor never asks for a longer password"
    yield from _absent("passwords.breached_list", passwords.breached_list)
    if len(passwords.words) > MOST_WORDS:
        yield f"passwords.words holds {len(passwords.words)} words; at most {MOST_WORDS}, since each new password is compared with all"
    around = Surroundings(
        issuer=settings.issuer,
        development=settings.development,
        sends_mail=settings.sends_mail,
        factor_kinds=settings.second_factor.kinds,
    )
    yield from settings.sections.problems(around)
    yield from _client_keys(settings)


def _client_keys(settings: Settings) -> Iterator[str]:
    """Check that the keys with which this server authenticates at providers can be used."""
    named = {name: one for name, one in settings.providers.by_name.items() if one.client_key_file}
    if not named:
        return
    # imported only here: most servers have no such key
    from doorward.adapters.keys.client_key import client_key

    for name, policy in named.items():
        where = f"providers.{name}.client_key_file names {policy.client_key_file}, which"
        try:
            client_key(policy.client_key_file or "", policy.provider_service().secret_alg)
        except OSError as problem:
            yield f"{where} cannot be read ({problem.strerror})"
        except ValueError as problem:
            yield f"{where} {problem}"


def _absent(name: str, path: str | None) -> Iterator[str]:
    if path is not None and absent(path):
        yield f"{name} names {path}, and there is no such file"


def _host(name: str, host: str | None) -> Iterator[str]:
    """Check that this is a bare name or address to look up or listen on."""
    if host is None or host.startswith("unix:"):
        return
    if "://" in host or "/" in host:
        yield f'{name} is "{host}"; it is a host\'s name or address alone, without {"://" if "://" in host else "/"}'
    elif not host or any(character.isspace() for character in host):
        yield f'{name} is "{host}"; it should be a host\'s name or address, without spaces'
    elif _PORT_BEHIND.fullmatch(host):
        yield f'{name} is "{host}"; the port is a setting of its own, {name.partition(".")[0]}.port'


_PORT_BEHIND = re.compile(r"[^:]+:\d+|\[.*\]:\d+")


def _keys(keys: KeySettings) -> Iterator[str]:
    """Check that there is one key-encryption key, wherever it is, and all that is needed to reach it."""
    named = {
        "keys.secret_key": keys.secret_key is not None,
        "keys.secret_key_file": keys.secret_key_file is not None and keys.secret_key is None,
        "keys.unwrap_command": keys.unwrap_command is not None,
        "keys.pkcs11_module": keys.pkcs11_module is not None,
    }
    first, *others = [name for name, is_set in named.items() if is_set] or [""]
    for other in others:
        yield f"{other} and {first} are both set; the key-encryption key is in one place. To change it: doorward keys rewrap"
    for name, command in (("unwrap_command", keys.unwrap_command), ("wrap_command", keys.wrap_command)):
        try:
            if command is not None and not shlex.split(command):
                yield f"keys.{name} is empty; it should be a program and its arguments"
        except ValueError:
            yield f"keys.{name} opens a quote and never closes it"
    if keys.wrap_command is not None and keys.unwrap_command is None:
        yield "keys.unwrap_command is missing: what keys.wrap_command wraps, it has to unwrap"
    if keys.pkcs11_module is None:
        if keys.pkcs11_token is not None or keys.pkcs11_pin is not None:
            part = "pin" if keys.pkcs11_token is None else "token"
            yield f"keys.pkcs11_module is missing: the token's shared library, for keys.pkcs11_{part}"
        return
    yield from _absent("keys.pkcs11_module", keys.pkcs11_module)
    if keys.pkcs11_token is None:
        yield "keys.pkcs11_token is missing: the label of the token that has the key"
    if keys.pkcs11_pin is None:
        yield "keys.pkcs11_pin is missing: the token's user PIN (or use keys.pkcs11_pin_file)"
