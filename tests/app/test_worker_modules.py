"""Test of what a worker loads: the libraries of features that no setting names, and of commands, stay on the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.ports import free_port
from tests.waiting import PATIENCE, until

UNUSED = {
    # the commands
    "click": "uvicorn's command line, and typer",
    "typer": "commands",
    "rich": "tables and colours of commands",
    "pygments": "rich",
    "attr": "rich",
    "multiprocessing.context": "uvicorn's own supervisor",
    "doorward.cli": "commands",
    "doorward.ops": "backup, move, doctor",
    # the first scrape of the metrics
    "prometheus_client.exposition": "the first scrape",
    "http.server": "the same",
    "urllib.request": "the same",
    "wsgiref": "the same",
    "html.entities": "http.server",
    # the standard library
    "typing_extensions": "msgspec, if it is installed",
    "logging.config": "uvicorn's own logs",
    "configparser": "the same",
    "jinja2.bccache": "templates compiled before",
    "tempfile": "the same",
    "shutil": "tempfile",
    "ctypes": "a worker that ends its backlog",
    "csv": "a place database",
    # calls to other servers
    "httpx2": "the first call to another server",
    "httpcore2": "the same",
    "h11": "the same",
    "anyio": "the same",
    "truststore": "the same",
    "idna": "names in other scripts",
    "aiosmtplib": "a mail server",
    "email.message": "the first mail",
    "email._header_value_parser": "the same",
    "asyncpg": "PostgreSQL",
    "valkey": "a shared cache",
    "ldap3": "a directory",
    # accounts elsewhere
    "doorward.features.authn.providers.openid": "a provider in the settings",
    "doorward.features.authn.providers.oauth2": "the same",
    "doorward.features.authn.providers.signing_in": "the same",
    "doorward.features.authn.providers.connecting": "the same",
    "doorward.features.authn.directories.client": "a directory in the settings",
    "doorward.features.authn.directories.source": "the same",
    "doorward.adapters.ldap": "the same",
    # data and codes
    "maxminddb": "a place database",
    "phonenumbers": "codes by text message",
    "zxcvbn": "the first new password",
    "fido2": "the first answer of a passkey",
    "cryptography.x509": "the same",
    "segno": "the first authenticator app",
    "passlib": "imported passwords",
    "bcrypt": "the same",
    "greenlet": "nothing of the server",
}
"""What a worker with default settings has not loaded, and what would load it."""

WORKER = """
import json, signal, sys
signal.signal(signal.SIGUSR2, lambda *_: print(json.dumps(sorted(sys.modules)), flush=True))
from doorward.server.__main__ import main
sys.exit(main([]))
"""


def test_a_worker_with_default_settings_loads_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "doorward.toml").write_text(
        f'issuer = "http://127.0.0.1:{port}"\ndatabase = "{tmp_path / "doorward.db"}"\n[server]\nport = {port}\n'
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    environment |= {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DOORWARD_CONFIG": str(tmp_path / "doorward.toml"),
    }
    with (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-c", WORKER],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        until(lambda: worker.poll() is not None or _answers(port), (tmp_path / "log").read_text, look=0.05)
        assert worker.poll() is None, (tmp_path / "log").read_text()
        worker.send_signal(signal.SIGUSR2)
        assert worker.stdout is not None
        loaded = set(json.loads(worker.stdout.readline()))
    finally:
        worker.terminate()
        worker.communicate(timeout=PATIENCE)
    assert {"doorward.app.container", "uvicorn.server", "structlog", "jinja2"} <= loaded
    assert {name: use for name, use in UNUSED.items() if name in loaded} == {}


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE):
            return True
    except (URLError, ConnectionError):
        return False
