"""Structured logging without secrets (detected by key and by form) and without local variables."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from traceback import walk_tb
from typing import Any, TextIO, cast

from doorward.core.lean_import import load_without

# the one is for tracebacks in colours, which are never written, the other for threads that are never started
load_without("structlog", "rich", "greenlet")
import structlog  # noqa: E402

HIDDEN = "***"
_SECRET_KEYS = re.compile(
    r"passw|secret|token|cookie|authorization|assertion|verifier|private|sealed|credential|otp|\bcode\b|^code$|_code$|csrf|"
    r"api_key|hash$|login_hint|logout_hint",
    re.IGNORECASE,
)
_NOT_SECRET = frozenset(
    {"token_kind", "error_code", "refusal_code", "status_code", "token_type", "secret_id"}
)
_SECRET_TEXT = re.compile(
    # our own prefixed secrets, text that looks like a JWS or JWE, and credentials of a header
    r"dw_(?:rt|ac|cs|as)_[A-Za-z0-9_-]+"
    r"|eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}"
    r"|(?i:\b(?:basic|bearer|dpop)\s+[A-Za-z0-9._~+/=-]{8,})"
    r"|(?i:\b(?:cookie|set-cookie|authorization)\s*:\s*[^\r\n]+)"
    r"|\$argon2[a-z]*\$[^\s\"']+"
)
# the query of a URL or a path: state, codes, login hints, e-mail addresses
_QUERY = re.compile(r"((?:https?://|/)[^\s?\"'<>]*)\?[^\s\"'<>]+")
# The same without an address before it: a query string or a form, as in messages of libraries. An ID token that an app
# sends as a hint contains its person's address.
_PARAMETER = re.compile(
    r"\b((?:id_token_hint|login_hint|logout_hint|(?:access_|refresh_|id_|logout_)?token|client_secret|client_assertion|assertion"
    r"|code|code_verifier|auth_session|password|csrf|state|nonce|claims|username|email)=)[^\s&;\"'<>]+",
    re.IGNORECASE,
)
_MAX_TEXT = 2000


def redact(value: Any) -> Any:
    """The value with everything that looks like a secret replaced, at any depth."""
    if isinstance(value, str):
        text = value if len(value) <= _MAX_TEXT else value[:_MAX_TEXT] + "…"
        text = _QUERY.sub(rf"\1?{HIDDEN}", _SECRET_TEXT.sub(HIDDEN, text))
        return _PARAMETER.sub(rf"\1{HIDDEN}", text) if "=" in text else text
    if isinstance(value, bytes | bytearray | memoryview):
        return HIDDEN
    if isinstance(value, Mapping):
        members = cast("Mapping[Any, Any]", value)
        return {str(key): HIDDEN if secret_key(str(key)) else redact(item) for key, item in members.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in cast("list[Any]", value)]
    if isinstance(value, int | float | bool) or value is None:
        return value
    return redact(str(value))


def secret_key(key: str) -> bool:
    """Whether a value under this key is always hidden."""
    return key not in _NOT_SECRET and _SECRET_KEYS.search(key) is not None


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor before every renderer."""
    return {key: HIDDEN if secret_key(key) else redact(value) for key, value in event.items()}


def add_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by type, text and stack locations: no source lines, no local variables."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if isinstance(given, tuple):
        error = cast("tuple[Any, BaseException | None, Any]", given)[1]
    if error is not None:
        event["error"] = describe(error)
    return event


def describe(error: BaseException) -> list[dict[str, Any]]:
    """The exception and its causes, outermost first."""
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    while error and id(error) not in seen and len(chain) < 8:
        seen.add(id(error))
        codes = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
        places = [f"{code.co_filename}:{line} {code.co_name}" for code, line in codes]
        chain.append({"type": type(error).__qualname__, "text": str(error), "at": places[-20:]})
        following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if following is None:
            break
        error = following
    return chain


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger for one part of the server: `logger("mail").warning("mail.delayed", tries=3)`."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(f"doorward.{name}")
    return bound


def configure(level: str = "info", form: str = "json", *, out: TextIO | None = None) -> None:
    """Write all log events, including those of libraries, one line each, to standard error (or `out`)."""
    stream = out if out is not None else sys.stderr
    threshold: int = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=28)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_exception,
            redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        # standard error is looked up for each line, in case a program redirects it later
        logger_factory=lambda *_: _Lines(out if out is not None else sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Bridge()]
    root.setLevel(threshold)
    for noisy in ("httpx2", "httpcore2", "asyncio", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(max(threshold, logging.WARNING))


class _Lines:
    """Writes lines. A line that cannot be written (the disk is full, the reader of the pipe has ended) is lost without
    an error: a request must not fail because of its log."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def msg(self, message: str) -> None:
        """Write one line."""
        with suppress(OSError, ValueError):
            self._out.write(message + "\n")
            self._out.flush()

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = msg


class _Bridge(logging.Handler):
    """Passes log records of libraries (standard library logging) through the same processors."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        structlog.get_logger().log(record.levelno, text, **fields)
