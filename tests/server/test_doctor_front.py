"""Tests of the doctor's checks of certificate, proxies, port and machine."""

from __future__ import annotations

import base64
import datetime as dt
import os
import resource
from pathlib import Path

import pytest
import trustme

from doorward.core.model.finding import Finding
from doorward.ops.doctor.checks import front, machine, sqlite
from doorward.ops.doctor.checks.certificate import certificate
from doorward.ops.doctor.checks.keys import key_encryption_key
from doorward.ops.doctor.checks.port import ready
from doorward.settings import Settings, load


def settings(folder: Path, text: str = "", *, issuer: str = "https://auth.example.com") -> Settings:
    """The settings of a file with these lines."""
    path = folder / "doorward.toml"
    path.write_text(f'issuer = "{issuer}"\n{text}\n')
    return load(path, {})


def served(folder: Path, *names: str, expires_in_days: int = 90) -> Settings:
    """Settings with a certificate of the server's own."""
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=expires_in_days)
    issued = trustme.CA().issue_cert(*names, not_after=ends)
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return settings(folder, '[server]\ntls_cert = "cert.pem"\ntls_key = "key.pem"')


def mended(check: Finding | None) -> Finding:
    """A finding that contains its fix."""
    assert check is not None
    assert not check.ok
    assert check.fix
    return check


def test_a_certificate_must_be_for_the_issuers_name(tmp_path: Path) -> None:
    good = certificate(served(tmp_path, "auth.example.com"))
    assert good is not None
    assert good.ok
    assert not good.fix
    assert "other.example.com" not in good.said
    starred = certificate(served(tmp_path, "*.example.com"))
    assert starred is not None
    assert starred.ok
    assert "auth.example.com" in mended(certificate(served(tmp_path, "other.example.com"))).said
    mended(certificate(served(tmp_path, "*.auth.example.com")))


def test_an_expiring_certificate_is_found(tmp_path: Path) -> None:
    soon = certificate(served(tmp_path, "auth.example.com", expires_in_days=3))
    assert soon is not None
    assert soon.ok
    assert "SIGHUP" in soon.fix
    assert "has ended" in mended(certificate(served(tmp_path, "auth.example.com", expires_in_days=-1))).said


def test_a_certificate_and_a_key_must_belong_together(tmp_path: Path) -> None:
    there = served(tmp_path, "auth.example.com")
    trustme.CA().issue_cert("auth.example.com").private_key_pem.write_to_path(tmp_path / "key.pem")
    assert "is not for the key" in mended(certificate(there)).said
    (tmp_path / "cert.pem").write_text("nonsense")
    mended(certificate(there))


def test_the_trusted_proxies_are_checked(tmp_path: Path) -> None:
    for everybody in ("0.0.0.0/0", "::/0", "128.0.0.0/1"):
        found = front.proxies(settings(tmp_path, f'[server]\ntrusted_proxies = ["{everybody}"]'))
        assert everybody in mended(found).said
    assert front.proxies(settings(tmp_path, '[server]\ntrusted_proxies = ["10.0.0.0/8"]')).ok
    unnamed = front.proxies(settings(tmp_path))
    assert "throttled as one" in unnamed.said
    assert "trusted_proxies" in unnamed.fix
    assert not front.proxies(settings(tmp_path, '[server]\nhost = "unix:/run/x.sock"')).fix


def test_more_workers_than_cores_are_reported(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    assert not machine.workers(settings(tmp_path)).fix
    assert str(cores) in machine.workers(settings(tmp_path, f"[server]\nworkers = {cores + 1}")).fix


def test_a_low_limit_on_open_files_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def limits(_which: int) -> tuple[int, int]:
        return 1024, 1024

    monkeypatch.setattr(resource, "getrlimit", limits)
    found = mended(machine.files(settings(tmp_path)))
    assert "LimitNOFILE=5200" in found.fix
    assert machine.files(settings(tmp_path, "[server]\nconnections = 800")).ok


def test_a_folder_that_cannot_be_created_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is no folder" in mended(sqlite.absent(tmp_path / "file" / "data" / "doorward.db")).said
    first = sqlite.absent(tmp_path / "new" / "data" / "doorward.db")
    assert first is not None
    assert first.ok


@pytest.mark.anyio
async def test_a_server_that_does_not_run_is_not_ready(tmp_path: Path, free_port: int) -> None:
    there = settings(tmp_path, issuer=f"http://127.0.0.1:{free_port}")
    assert "doorward serve" in mended(await ready(there)).fix


@pytest.mark.anyio
async def test_a_key_provided_by_systemd_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its mode shows the access list as rights of the group."""
    lent = tmp_path / "credentials" / "secret-key"
    lent.parent.mkdir()
    lent.write_text(base64.b64encode(bytes(range(32))).decode())
    lent.chmod(0o440)
    there = settings(tmp_path, f'[keys]\nsecret_key_file = "{lent}"')
    assert "0440" in mended(await key_encryption_key(there)).said
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(lent.parent))
    assert (await key_encryption_key(there)).ok
