"""Typed names and the searches for them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.utils.conv import escape_filter_chars

from doorward.core.model.directory import LdapEntry
from doorward.features.authn.directories.rules.names import (
    TypedName,
    escaped,
    lookups,
    name_filter,
    takes,
    the_one,
    typed_name,
)
from doorward.features.authn.directories.settings import DirectoryPolicy

LDAP = DirectoryPolicy(base_dn="dc=example,dc=com")
AD = DirectoryPolicy(base_dn="DC=corp,DC=example,DC=com", active_directory=True, domains=("example.com",))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" ada ", TypedName("ada", "ada")),
        ("CORP\\ada", TypedName("CORP\\ada", "ada", netbios="CORP")),
        ("ada@Example.COM", TypedName("ada@Example.COM", "ada", domain="example.com")),
        ("ada@bücher.example", TypedName("ada@bücher.example", "ada", domain="xn--bcher-kva.example")),
        ("ada@corp", TypedName("ada@corp", "ada", domain="corp")),
        ("\\ada", None),
        ("CORP\\", None),
        ("@example.com", None),
        ("", None),
        ("a\0b", None),
        ("a\u202eb", None),
        ("x" * 255, None),
        ("x" * 100_000, None),
    ],
)
def test_a_typed_name_has_parts(typed: str, name: TypedName | None) -> None:
    assert typed_name(typed) == name


@pytest.mark.parametrize(
    ("policy", "typed", "asked"),
    [
        (LDAP, "ada", True),
        (LDAP, "ada@anywhere.example", True),
        (LDAP, "CORP\\ada", False),
        (AD, "ada", True),
        (AD, "corp\\ada", True),
        (AD, "OTHER\\ada", False),
        (AD, "ada@example.com", True),
        (AD, "ada@EXAMPLE.com", True),
        (AD, "ada@corp.example.com", True),
        (AD, "ada@other.example", False),
    ],
)
def test_a_directory_is_asked_for_names_of_its_domains(
    policy: DirectoryPolicy, typed: str, asked: bool
) -> None:
    name = typed_name(typed)
    assert name is not None
    assert takes(policy, name) is asked


def test_a_principal_name_that_no_entry_spells_out_is_found_by_its_user() -> None:
    name = typed_name("ada@corp.example.com")
    assert name is not None
    assert ("sAMAccountName", "ada") in lookups(AD, name)
    other = typed_name("ada@example.com")
    assert other is not None
    assert all(value == "ada@example.com" for _, value in lookups(AD, other))


def _entry(dn: str, **values: str) -> LdapEntry:
    return LdapEntry(dn, {name.lower(): [text.encode()] for name, text in values.items()})


def test_the_address_of_another_person_in_somebodys_own_entry_finds_the_other_person() -> None:
    name = typed_name("ada@example.com")
    assert name is not None
    asked = lookups(AD, name)
    ada = _entry("cn=ada", userPrincipalName="Ada@example.com")
    mallory = _entry("cn=mallory", userPrincipalName="m@example.com", mail="ada@example.com")
    assert the_one([mallory, ada], asked) == ada
    assert the_one([mallory], asked) == mallory
    # two who cannot be told apart are nobody
    assert the_one([mallory, _entry("cn=eve", mail="ada@example.com")], asked) is None
    assert the_one([], asked) is None


@given(st.text(max_size=40))
def test_no_typed_text_is_syntax(text: str) -> None:
    safe = escaped(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9]|\\[0-9a-f]{2})*", safe)
    assert re.sub(
        rb"\\([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), safe.encode()
    ) == text.encode("utf-8", "replace")


def test_the_filter_is_that_of_the_library_for_the_same_value() -> None:
    asked = [("uid", "a*)(b\\")]
    (value,) = re.findall(r"uid=([^)]*)\)", name_filter(LDAP, asked))
    library = escape_filter_chars("a*)(b\\")
    assert value == library.replace("\\2A", "\\2a")
