"""OpenLDAP's slapd for tests, with TLS, in a folder and on ports of its own; nothing of the machine's own service is used.

with slapd(tmp_path) as server:
    server.add(person("ada", mail="ada@example.com"))      # its password is PASSWORD
    server.policy(lockout_threshold=0)                     # a section [directories.corp]
    server.freeze(), server.thaw()                         # connections stay open, and nothing answers
    server.kill(), server.start()
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from ldap3 import ALL_ATTRIBUTES, SUBTREE, Connection, Server

from doorward.core.model.secret import Secret
from doorward.features.authn.directories.settings import DirectoryPolicies, DirectoryPolicy
from tests.child_server import ChildServer
from tests.ports import free_ports
from tests.waiting import PATIENCE
from tools import system

BASE = "dc=example,dc=com"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
ROOT, ROOT_PASSWORD = f"cn=admin,{BASE}", "root password"
SERVICE, SERVICE_PASSWORD = f"cn=doorward,{BASE}", "service password"
PASSWORD = "a directory's password"

_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
{more}
idletimeout {idle}
database mdb
maxsize 268435456
suffix "{base}"
rootdn "{root}"
rootpw "{root_password}"
directory {folder}/data
index objectClass,uid,mail,entryUUID,member,uniqueMember eq
limits dn.exact="{service}" size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service}" read by * none
dbnosync
overlay ppolicy
ppolicy_default "cn=policy,{base}"
"""

_START = f"""dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {SERVICE}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: doorward
userPassword: {SERVICE_PASSWORD}

dn: cn=policy,{BASE}
objectClass: organizationalRole
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdMustChange: FALSE
pwdLockout: FALSE
"""


def person(uid: str, *, password: str = PASSWORD, **values: str | Sequence[str]) -> str:
    """The entry of a person, as LDIF."""
    more = {"cn": uid.title(), "sn": uid.title(), **values}
    lines = [
        f"dn: uid={uid},{PEOPLE}",
        "objectClass: inetOrgPerson",
        f"uid: {uid}",
        f"userPassword: {password}",
    ]
    for name, held in more.items():
        lines += [f"{name}: {one}" for one in ([held] if isinstance(held, str) else held)]
    return "\n".join(lines) + "\n"


def group(name: str, *members: str) -> str:
    """The entry of a group, as LDIF."""
    named = "\n".join(f"member: {one}" for one in members)
    return f"dn: cn={name},{GROUPS}\nobjectClass: groupOfNames\ncn: {name}\n{named}\n"


@dataclass
class Slapd(ChildServer):
    """One server: `port` for StartTLS, `tls_port` with TLS from the first byte."""

    folder: Path
    port: int
    tls_port: int
    ca_file: str

    def command(self) -> Sequence[str]:
        """Its command line."""
        urls = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/"
        return [_program("slapd"), "-f", str(self.folder / "slapd.conf"), "-h", urls, "-d", "0"]

    def answers(self) -> bool:
        """Whether somebody can bind."""
        try:
            self.as_root().unbind()
        except Exception:
            return False
        return True

    def as_root(self) -> Any:
        """A connection that may do everything."""
        server = Server("127.0.0.1", port=self.port, get_info="NO_INFO", connect_timeout=2)
        return Connection(server, ROOT, ROOT_PASSWORD, auto_bind="NO_TLS", receive_timeout=5)

    def add(self, *entries: str) -> None:
        """Add entries."""
        for entry in entries:
            self._ldap("ldapadd", entry)

    def modify(self, ldif: str) -> None:
        """Change entries, by LDIF with a changetype."""
        self._ldap("ldapmodify", ldif)

    def set(self, dn: str, **values: str) -> None:
        """Replace values of an entry."""
        changes = "\n-\n".join(f"replace: {name}\n{name}: {value}" for name, value in values.items())
        self.modify(f"dn: {dn}\nchangetype: modify\n{changes}\n")

    def clear(self, dn: str, name: str) -> None:
        """Remove an attribute of an entry."""
        self.modify(f"dn: {dn}\nchangetype: modify\ndelete: {name}\n")

    def dns(self, query: str) -> list[str]:
        """The names of the entries that match, the deepest first."""
        connection = self.as_root()
        connection.search(BASE, query, SUBTREE, attributes=["1.1"])
        found = [one["dn"] for one in connection.response]
        connection.unbind()
        return sorted(found, key=len, reverse=True)

    def delete(self, dn: str) -> None:
        """Delete an entry."""
        self.modify(f"dn: {dn}\nchangetype: delete\n")

    def rename(self, dn: str, rdn: str) -> None:
        """Give an entry another name."""
        self.modify(f"dn: {dn}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\n")

    def values(self, dn: str, name: str) -> list[str]:
        """What an entry has of an attribute, operational ones too."""
        connection = self.as_root()
        connection.search(dn, "(objectClass=*)", SUBTREE, attributes=[ALL_ATTRIBUTES, "+"])
        found = connection.response[0]["raw_attributes"].get(name, [])
        connection.unbind()
        return [one.decode() for one in found]

    def policy(self, **changes: Any) -> DirectoryPolicy:
        """Its section of the settings."""
        values: dict[str, Any] = {
            "label": "Example Corp",
            "urls": (f"ldap://127.0.0.1:{self.port}",),
            "ca_file": self.ca_file,
            "bind_dn": SERVICE,
            "bind_password": Secret(SERVICE_PASSWORD),
            "base_dn": BASE,
            "email_domains": ("example.com",),
            "connect_timeout": 2,
            "timeout": 2,
            "connections": 2,
        }
        return DirectoryPolicy(**{**values, **changes})

    def settings(self, **changes: Any) -> DirectoryPolicies:
        """All sections: this one."""
        return DirectoryPolicies(by_name={"corp": self.policy(**changes)})

    def load(self, ldif: str) -> None:
        """Fill the database while the server is down: thousands of entries in a second."""
        path = self.folder / "load.ldif"
        path.write_text(ldif, "utf-8")
        command = [_program("slapadd"), "-q", "-f", str(self.folder / "slapd.conf"), "-l", str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert ran.returncode == 0, ran.stderr

    def _ldap(self, program: str, ldif: str) -> None:
        command = [program, "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", ROOT, "-w", ROOT_PASSWORD]
        ran = subprocess.run(
            command, input=ldif, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert ran.returncode == 0, ran.stderr


@contextmanager
def slapd(
    folder: Path, *, names: Sequence[str] = ("127.0.0.1",), more: str = "", idle: int = 0, load: str = ""
) -> Generator[Slapd]:
    """A server that has the service account, and `load` (LDIF). `names` are those of its certificate; `more` lines of its configuration."""
    found = system.slapd()
    if isinstance(found, system.Missing):
        pytest.skip(str(found))
    folder = folder / f"slapd-{time.monotonic_ns()}"
    (folder / "data").mkdir(parents=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert(*names)
    issued.private_key_pem.write_to_path(folder / "server.key")
    issued.cert_chain_pems[0].write_to_path(folder / "server.pem")
    text = _CONFIG.format(
        folder=folder,
        modules=system.SLAPD_MODULES,
        base=BASE,
        root=ROOT,
        root_password=ROOT_PASSWORD,
        service=SERVICE,
        more=more,
        idle=idle,
    )
    (folder / "slapd.conf").write_text(text, "utf-8")
    port = free_ports(2)
    server = Slapd(folder, port, port + 1, str(folder / "ca.pem"))
    server.load(f"{_START}\n{load}")
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    return shutil.which(name) or f"/usr/sbin/{name}"
