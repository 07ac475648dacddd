"""Trusted certificate authorities, and reports of settings that name none."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from doorward.adapters import trust


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The file of an authority that this machine does not trust."""
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return path


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in trust.VARIABLES:
        monkeypatch.delenv(name, raising=False)


def held(context: ssl.SSLContext) -> set[str]:
    return {str(one["serialNumber"]) for one in context.get_ca_certs()}


def test_a_configured_authority_is_trusted_in_addition_to_the_machines(authority: Path) -> None:
    machine, both = held(trust.context()), held(trust.context(str(authority)))
    assert machine < both
    assert len(both) == len(machine) + 1
    made = trust.context(str(authority))
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname


def test_ssl_cert_file_replaces_the_machines_authorities(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert len(held(trust.context())) == 1
    assert trust.broken_variable() is None


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_variable_without_certificates_is_reported(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wrong.pem"
    if content is not None:
        path.write_bytes(content)
    problem = trust.ca_file_problem(str(path))
    assert problem is not None
    assert str(path) in problem
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    problem = trust.broken_variable()
    assert problem is not None
    assert problem.startswith(f"SSL_CERT_FILE names {path}")
    # the server starts all the same, with the machine's authorities
    assert held(trust.context()) is not None


def test_an_invalid_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    assert "no folder" in (trust.broken_variable() or "")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert trust.broken_variable() is None


def test_a_reason_contains_nothing_that_the_peer_sent() -> None:
    inner = ssl.SSLCertVerificationError("secret")
    inner.verify_message = "self-signed certificate"
    outer = RuntimeError("secret")
    outer.__cause__ = inner
    for error, words in (
        (outer, "self-signed certificate"),
        (OSError("secret"), "OSError"),
        (OSError(111, "refused"), "refused"),
    ):
        assert words in trust.why(error)
        assert "secret" not in trust.why(error)
