"""Roles from groups in groups."""

from __future__ import annotations

from doorward.core.model.directory import LdapEntry
from doorward.features.authn.directories.rules.groups import (
    closure,
    direct_filter,
    mapped_roles,
    parents,
    roles_after,
    same_dn,
)
from doorward.features.authn.directories.settings import DirectoryPolicy

AD = DirectoryPolicy(active_directory=True)
PLAIN = DirectoryPolicy(roles={"auditor": ("CN=Audit, OU=Groups,DC=x",), "writer": ("Editors", "cn=w,dc=x")})


def _group(name: str, *members: str) -> LdapEntry:
    return LdapEntry(f"cn={name},dc=x", {"member": [member.encode() for member in members]})


def test_active_directory_follows_the_chain_itself() -> None:
    assert "member:1.2.840.113556.1.4.1941:=" in direct_filter(AD, "cn=ada,dc=x")
    assert "1941" not in direct_filter(DirectoryPolicy(active_directory=True, nested_groups=False), "cn=ada")
    # a name is a value, never a filter
    assert "(" not in direct_filter(AD, "cn=a)(b").replace("(&(objectCategory=group)(member", "")


def test_a_chain_and_a_circle_of_groups_end() -> None:
    chain = [_group(f"g{n}", f"cn=g{n - 1},dc=x", "cn=ada,ou=people,dc=x") for n in range(1, 200)]
    above = parents([_group("g0", "cn=ada,ou=people,dc=x"), *chain])
    assert len(closure({"cn=g0,dc=x"}, above)) == 200
    circle = parents([_group("a", "CN=b,DC=x"), _group("b", "cn=a,dc=x")])
    assert closure({"cn=a,dc=x"}, circle) == {"cn=a,dc=x", "cn=b,dc=x"}


def test_a_role_is_given_only_by_the_groups_that_the_settings_name() -> None:
    assert mapped_roles(PLAIN, {"cn=audit,ou=groups,dc=x"}) == {"auditor"}
    assert mapped_roles(PLAIN, {"cn=editors,ou=anywhere,dc=x"}) == {"writer"}
    assert mapped_roles(PLAIN, {"cn=w,dc=x"}) == {"writer"}
    assert mapped_roles(PLAIN, {"cn=w,dc=y", "cn=audit,dc=x", "cn=writer,dc=x"}) == frozenset()


def test_only_what_the_directory_gave_is_taken_away() -> None:
    assert roles_after((), mapped=(), granted={"a"}) == (("a",), ("a",))
    assert roles_after(("a", "b"), mapped=("a",), granted=set()) == (("b",), ())
    # what the person had by an operator stays when the group is left
    roles, mapped = roles_after(("a",), mapped=(), granted={"a"})
    assert (roles, mapped) == (("a",), ())
    assert roles_after(roles, mapped=mapped, granted=set()) == (("a",), ())


def test_spellings_of_one_name_are_one() -> None:
    assert same_dn("CN=Ada, OU=People , DC=X") == same_dn("cn=ada,ou=people,dc=x")
