"""Tests of `[directories.NAME]`: from the file and from variables, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.settings import SettingsError, load

HOME = {"DOORWARD_ISSUER": "https://auth.example.com"}
SECTION = """issuer = "https://auth.example.com"

[directories.corp]
label = "Corp"
urls = ["ldaps://dc.example.com"]
base_dn = "DC=corp,DC=example,DC=com"
active_directory = true

[directories.corp.roles]
admin = ["CN=Admins,DC=corp", "ops"]
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "doorward.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_file_has_a_table_of_roles_and_defaults_for_active_directory(tmp_path: Path) -> None:
    corp = load(_file(tmp_path, SECTION), {}).directories.by_name["corp"]
    assert corp.roles == {"admin": ("CN=Admins,DC=corp", "ops")}
    assert (corp.realm, corp.netbios, corp.key) == ("corp.example.com", "corp", "objectGUID")
    assert corp.names[0] == "userPrincipalName"
    assert load(None, HOME).directories.by_name == {}


def test_variables_have_the_roles_as_json_and_the_password_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n", "utf-8")
    environ = {
        "DOORWARD_DIRECTORIES__CORP__ROLES": '{"admin": ["ops"]}',
        "DOORWARD_DIRECTORIES__CORP__BIND_DN": "cn=doorward,dc=corp",
        "DOORWARD_DIRECTORIES__CORP__BIND_PASSWORD_FILE": str(tmp_path / "secret"),
    }
    corp = load(
        _file(tmp_path, SECTION.partition("[directories.corp.roles]")[0]), environ
    ).directories.by_name["corp"]
    assert corp.roles == {"admin": ("ops",)}
    assert corp.bind_password is not None
    assert corp.bind_password.reveal() == "hunter2"
    assert "hunter2" not in repr(corp)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"ldaps://dc.example.com"', '"http://dc.example.com"', "directories.corp.urls"),
        (
            '"ldaps://dc.example.com"]',
            '"ldap://dc.example.com"]\nstarttls = false',
            "would carry passwords in clear",
        ),
        ('base_dn = "DC=corp,DC=example,DC=com"', "", "directories.corp.base_dn is missing"),
        ("active_directory = true", 'bind_dn = "cn=x,dc=y"', "bind_password is missing"),
        ("active_directory = true", 'person_filter = "(a=b))(c=d"', "person_filter"),
        ("active_directory = true", 'name_attributes = ["uid)(x=*"]', "name_attributes"),
        ("active_directory = true", "lockout_threshold = 2", "lockout_threshold is 2"),
        ("active_directory = true", 'email_domains = ["example"]', "email_domains"),
        ("[directories.corp.roles]", "[directories.corp.roles.admin]", "should be a list"),
        ("directories.corp", "directories.Corp", "cannot name a directory"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(_file(tmp_path, SECTION.replace(old, new)), {})
    assert says in " ".join(refused.value.problems)
