"""Log lines never contain secrets: by key, by form, in a traceback, in a URL."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from doorward.adapters import logs

JWT = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJlc2lnbmF0dXJl"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    logs.configure("debug", "json", out=stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before[0]
    logging.getLogger().setLevel(before[1])


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    "value",
    [
        "dw_rt_abcdefgh",
        "the token dw_ac_abcdefgh was used",
        "dw_cs_abc",
        "dw_as_abc",
        JWT,
        f"Bearer {JWT}",
        "Authorization: Basic YXBwOnNlY3JldA==",
        "basic YXBwOnNlY3JldA==",
        "Cookie: __Host-dw_session=abcdef; a=b",
        "https://auth.example.com/authorize?client_id=a&state=s3cr3t",
        "/verify?token=s3cr3t",
        "id_token_hint=s3cr3t&state=s3cr3t",
        "a form: client_id=app_1&login_hint=s3cr3t@example.com&code=s3cr3t",
        "https://app.example.com/cb#code=s3cr3t&state=s3cr3t",
        "refresh_token=s3cr3t;csrf=s3cr3t password=s3cr3t",
        "https://auth.example.com/logout?id_token_hint=s3cr3t&post_logout_redirect_uri=https%3A%2F%2Fa%2F",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
    ],
)
def test_text_that_looks_like_a_secret_is_hidden_at_any_place(out: io.StringIO, value: str) -> None:
    log = logs.logger("test")
    log.info("happened", note=value, deep={"list": [value]})
    log.info(value)
    logging.getLogger("library").warning("said %s", value)
    text = out.getvalue()
    assert len(lines(out)) == 3
    for secret in ("abcdef", "eyJ", "YXBw", "s3cr3t", "c2Fsd", "dw_cs_abc", "dw_as_abc"):
        assert secret not in text


@pytest.mark.parametrize(
    "key",
    ["password", "new_password", "client_secret", "refresh_token", "code", "user_code", "code_verifier", "cookie", "Authorization", "client_assertion", "csrf", "sealed", "private_key", "otp", "id_token_hint", "login_hint", "logout_hint", "secret_hash"],
)  # fmt: skip
def test_values_under_secret_keys_are_always_hidden(out: io.StringIO, key: str) -> None:
    logs.logger("test").info("happened", **{key: "plain words"}, inner={key: ["plain words"]})
    assert "plain words" not in out.getvalue()


def test_harmless_values_stay(out: io.StringIO) -> None:
    logs.logger("test").info(
        "happened", client_id="app_1", error_code="invalid_grant", status_code=400, tries=3
    )
    assert logs.redact("client_id=app_1 scope=openid error_code=invalid_grant max_age='x'") == (
        "client_id=app_1 scope=openid error_code=invalid_grant max_age='x'"
    )
    (line,) = lines(out)
    assert line["client_id"] == "app_1"
    assert line["error_code"] == "invalid_grant"
    assert (line["status_code"], line["tries"], line["level"]) == (400, 3, "info")


def test_an_exception_is_logged_with_locations_but_no_locals_and_no_source(out: io.StringIO) -> None:
    def fails() -> None:
        hunter = "hunter2hunter2"
        raise ValueError("no " + "good" + hunter[:0])

    try:
        try:
            fails()
        except ValueError as inner:
            raise RuntimeError("dw_rt_abcdefgh was wrong") from inner
    except RuntimeError as error:
        logs.logger("test").error("failed", exc_info=error)
        logs.logger("test").exception("failed")
        logging.getLogger("library").exception("failed")
    text = out.getvalue()
    assert "hunter2" not in text
    assert "abcdefgh" not in text
    for line in lines(out):
        assert [cause["type"] for cause in line["error"]] == ["RuntimeError", "ValueError"]
        assert any("fails" in place for place in line["error"][1]["at"])


def test_bytes_are_never_shown_and_long_text_is_cut(out: io.StringIO) -> None:
    logs.logger("test").info("happened", raw=b"abc", long="x " * 5000)
    (line,) = lines(out)
    assert line["raw"] == "***"
    assert len(line["long"]) < 2100


def test_the_console_form_is_readable() -> None:
    stream = io.StringIO()
    logs.configure("info", "console", out=stream)
    try:
        logs.logger("test").info("server.ready", issuer="https://auth.example.com", password="x")
        try:
            raise ValueError("no")
        except ValueError as error:
            logs.logger("test").error("failed", exc_info=error)
    finally:
        structlog.reset_defaults()
    assert "server.ready" in stream.getvalue()
    assert "password=***" in stream.getvalue()
    assert "ValueError" in stream.getvalue()


class _Full(io.StringIO):
    def __init__(self, why: Exception) -> None:
        super().__init__()
        self.why: Exception | None = why

    def write(self, text: str, /) -> int:
        if self.why is not None:
            raise self.why
        return super().write(text)


@pytest.mark.parametrize(
    "why", [OSError(28, "No space left on device"), BrokenPipeError(), ValueError("closed")]
)
@pytest.mark.usefixtures("out")
def test_a_line_that_cannot_be_written_raises_no_error_and_the_next_is_written(why: Exception) -> None:
    stream = _Full(why)
    logs.configure("info", "json", out=stream)
    logs.logger("token").warning("lost")
    logging.getLogger("library").error("lost too")
    stream.why = None
    logs.logger("token").warning("kept")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["kept"]


def test_lines_below_the_level_are_not_written(out: io.StringIO) -> None:
    logs.configure("warning", "json", out=out)
    logs.logger("test").info("quiet")
    logging.getLogger("library").info("quiet")
    assert out.getvalue() == ""


@given(st.recursive(st.text() | st.binary() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_anything_can_be_logged(value: object) -> None:
    json.dumps(logs.redact(value))


@given(
    st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=4, max_size=60), st.text(max_size=20)
)
def test_our_own_secrets_are_never_logged(secret: str, around: str) -> None:
    for prefix in ("dw_rt_", "dw_ac_", "dw_cs_", "dw_as_"):
        assert prefix + secret not in logs.redact(f"{around}{prefix}{secret} {around}")
