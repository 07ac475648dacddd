"""Reading of people's entries."""

from __future__ import annotations

import uuid

import pytest

from doorward.core.model.directory import LdapEntry
from doorward.features.authn.directories.rules.person import active, read_person, uid_filter
from doorward.features.authn.directories.settings import DirectoryPolicy

LDAP = DirectoryPolicy(email_domains=("example.com",))
AD = DirectoryPolicy(active_directory=True, email_domains=("*",))
NOW = 1_700_000_000
GUID = uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")


def _entry(**values: str | bytes) -> LdapEntry:
    held = {
        name.lower(): [text if isinstance(text, bytes) else text.encode()] for name, text in values.items()
    }
    return LdapEntry("cn=x", held)


def test_an_object_guid_reads_as_everywhere_else_and_is_searched_by_its_bytes() -> None:
    person = read_person(_entry(objectGUID=GUID.bytes_le, sAMAccountName="Ada"), AD, NOW)
    assert person is not None
    assert person.uid == str(GUID)
    assert person.names == ("ada",)
    value = "".join(f"\\{byte:02x}" for byte in GUID.bytes_le)
    assert uid_filter(AD, [str(GUID)]) == f"(&{AD.people}(|(objectGUID={value})))"
    # stored while another attribute was the identity: it finds nobody, and the others are found all the same
    assert (
        uid_filter(AD, [str(GUID), "entryuuid"])
        == f"(&{AD.people}(|(objectGUID={value})(objectGUID=entryuuid)))"
    )


@pytest.mark.parametrize("raw", [b"", b"short", b"x" * 17])
def test_an_entry_without_an_identity_is_nobody(raw: bytes) -> None:
    assert read_person(_entry(objectGUID=raw), AD, NOW) is None
    assert read_person(_entry(uid="ada"), LDAP, NOW) is None
    two = LdapEntry("cn=x", {"entryuuid": [b"a", b"b"]})
    assert read_person(two, LDAP, NOW) is None


@pytest.mark.parametrize(
    ("mail", "email"),
    [
        ("Ada@Example.com", "ada@example.com"),
        ("ada@elsewhere.example", None),
        ("ada@sub.example.com", None),
        ("no address", None),
        ("", None),
    ],
)
def test_an_address_counts_only_in_a_domain_for_which_the_directory_is_trusted(
    mail: str, email: str | None
) -> None:
    person = read_person(_entry(entryUUID="A-1", mail=mail), LDAP, NOW)
    assert person is not None
    assert (person.uid, person.email) == ("a-1", email)


def _filetime(seconds: int) -> str:
    return str((seconds + 11_644_473_600) * 10_000_000)


@pytest.mark.parametrize(
    ("values", "may"),
    [
        ({}, True),
        ({"userAccountControl": "512"}, True),
        ({"userAccountControl": "514"}, False),
        ({"accountExpires": "0"}, True),
        ({"accountExpires": "9223372036854775807"}, True),
        ({"accountExpires": _filetime(NOW - 1)}, False),
        ({"accountExpires": _filetime(NOW + 1)}, True),
        ({"nsAccountLock": "TRUE"}, False),
        ({"nsAccountLock": "false"}, True),
        ({"loginDisabled": "TRUE"}, False),
        ({"pwdAccountLockedTime": "000001010000Z"}, False),
        # a lock that passes ends no session
        ({"pwdAccountLockedTime": "20261130200000Z"}, True),
        ({"shadowExpire": "-1"}, True),
        ({"shadowExpire": "1"}, False),
        ({"shadowExpire": "99999"}, True),
        ({"userAccountControl": "rubbish", "accountExpires": "9" * 500}, True),
    ],
)
def test_disabled_and_expired_accounts_are_not_active(values: dict[str, str], may: bool) -> None:
    assert active(_entry(**values), NOW) is may
