"""A domain controller of Samba for the soak tests: Active Directory's LDAP, on this machine's own LDAP ports, which cannot be changed.

with samba(tmp_path) as domain:
    domain.user("ada", "--mail-address=ada@example.com")     # its password is PASSWORD
    domain.settings()                                        # a section [directories.corp]
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from doorward.core.model.secret import Secret
from doorward.features.authn.directories.settings import DirectoryPolicies, DirectoryPolicy
from tests.waiting import PATIENCE
from tools import system

BASE = "DC=corp,DC=example,DC=com"
PASSWORD = "Adas.Passw0rd"
_SERVICE_PASSWORD = "Svcs.Passw0rd"
_ITS_PYTHON = "/usr/bin/python3"
"""That of `samba-tool`, which has its modules."""
_EXPIRE = """
import sys
import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

database, config, name = sys.argv[1:]
settings = LoadParm()
settings.load(config)
sam = SamDB(url=database, lp=settings, session_info=system_session())
(found,) = sam.search(expression=f"sAMAccountName={name}", attrs=["1.1"])
change = ldb.Message(found.dn)
change["pwdLastSet"] = ldb.MessageElement("1", ldb.FLAG_MOD_REPLACE, "pwdLastSet")
# DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID
sam.modify(change, ["local_oid:1.3.6.1.4.1.7165.4.3.12:0"])
"""


@dataclass
class Domain:
    """The domain CORP, corp.example.com."""

    folder: Path
    tool: str

    def run(self, *words: str) -> None:
        """A command of samba-tool on the database of the domain."""
        local = ("-H", str(self.folder / "private" / "sam.ldb"), "-s", str(self.folder / "etc" / "smb.conf"))
        ran = subprocess.run(
            [self.tool, *words, *local], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert ran.returncode == 0, ran.stderr

    def user(self, name: str, *options: str, password: str = PASSWORD) -> None:
        """Create a person."""
        self.run("user", "create", name, password, *options)

    def expire(self, name: str) -> None:
        """Let the password of a person be as old as the domain's policy allows none to be. The server refuses such a time from everybody, so
        it is written past its password module, by Samba's own Python."""
        database, config = self.folder / "private" / "sam.ldb", self.folder / "etc" / "smb.conf"
        ran = subprocess.run(
            [_ITS_PYTHON, "-c", _EXPIRE, str(database), str(config), name],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert ran.returncode == 0, ran.stderr

    def settings(self, **changes: Any) -> DirectoryPolicies:
        """All sections: this domain."""
        values: dict[str, Any] = {
            "label": "Corp",
            "active_directory": True,
            "urls": ("ldaps://127.0.0.1",),
            "ca_file": str(self.folder / "ca.pem"),
            "bind_dn": "svc@corp.example.com",
            "bind_password": Secret(_SERVICE_PASSWORD),
            "base_dn": BASE,
            "email_domains": ("example.com",),
            "lockout_threshold": 0,
        }
        return DirectoryPolicies(by_name={"corp": DirectoryPolicy(**{**values, **changes})})


@contextmanager
def samba(folder: Path) -> Generator[Domain]:
    """A fresh domain with a service account."""
    found = system.samba()
    if isinstance(found, system.Missing):
        pytest.skip(str(found))
    if os.geteuid() != 0:
        pytest.skip("Samba: a domain controller needs root")
    place = folder / "domain"
    provision = [
        str(found), "domain", "provision", f"--targetdir={place}", "--realm=CORP.EXAMPLE.COM", "--domain=CORP",
        "--server-role=dc", "--adminpass=Adm1n.Passw0rd", "--dns-backend=NONE",
        "--option=interfaces=127.0.0.1", "--option=bind interfaces only=yes",
    ]  # fmt: skip
    ran = subprocess.run(provision, capture_output=True, text=True, check=False, timeout=4 * PATIENCE)
    assert ran.returncode == 0, ran.stderr
    authority = trustme.CA()
    authority.cert_pem.write_to_path(place / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(place / "key.pem")
    (place / "key.pem").chmod(0o600)
    issued.cert_chain_pems[0].write_to_path(place / "cert.pem")
    options = {
        "server services": "ldap",
        "tls keyfile": place / "key.pem",
        "tls certfile": place / "cert.pem",
        "tls cafile": place / "ca.pem",
        "log file": place / "log",
        "pid directory": place,
        "ncalrpc dir": place / "ncalrpc",
    }
    process = subprocess.Popen(
        [
            "samba",
            *("-i", "-M", "single", "-s", str(place / "etc" / "smb.conf")),
            *(f"--option={name}={value}" for name, value in options.items()),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _answers(process)
        domain = Domain(place, str(found))
        domain.user("svc", password=_SERVICE_PASSWORD)
        yield domain
    finally:
        process.kill()
        process.wait()


def _answers(process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", 636), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("Samba does not answer; another LDAP server may have this machine's ports")
