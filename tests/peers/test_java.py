"""Token requests of Java's HttpClient, which offers h2c by default (RFC 9110 §7.8)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.flows.running import running
from tests.flows.seeds import seed
from tests.waiting import PATIENCE

pytestmark = pytest.mark.peer
SOURCE = Path(__file__).with_name("sites") / "TokenRequest.java"


def test_java_s_http_client_gets_tokens_over_http(tmp_path: Path) -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("Java: not installed (11 or later; Debian's package default-jdk-headless has it)")
    with running(tmp_path) as server:
        service = seed(server).service
        assert service.secret is not None
        ran = subprocess.run(
            [java, str(SOURCE), server.issuer, service.client_id, service.secret],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        status, _, body = line.partition(" ")
        assert status == "200", line
        assert json.loads(body)["scope"] == "orders:read"
