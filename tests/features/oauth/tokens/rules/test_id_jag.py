"""Claims of an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant §4)."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.features.oauth.tokens.rules import id_jag

NOW = 1_800_000_000


def made(**other: Any) -> dict[str, Any]:
    members = id_jag.claims(
        issuer="https://idp.example",
        subject="person-1",
        audience="https://auth.example",
        client_id="app_one",
        unique="u" * 22,
        now=NOW,
        ttl=300,
        resource="https://api.example",
        scopes=("orders:read", "orders:write"),
        auth_time=NOW - 60,
        acr="urn:mfa",
        amr=("pwd", "otp"),
    )
    return members | other


def test_what_is_issued_is_read_again() -> None:
    read = id_jag.read(made())
    assert (read.iss, read.sub, read.aud, read.client_id) == (
        "https://idp.example",
        "person-1",
        "https://auth.example",
        "app_one",
    )
    assert (read.iat, read.exp, read.resource) == (NOW, NOW + 300, "https://api.example")
    assert read.scope == "orders:read orders:write"
    assert (read.auth_time, read.acr, read.amr) == (NOW - 60, "urn:mfa", ("pwd", "otp"))


def test_what_is_not_said_is_no_claim() -> None:
    members = id_jag.claims(issuer="i", subject="s", audience="a", client_id="c", unique="u", now=NOW, ttl=60)
    assert set(members) == {"iss", "sub", "aud", "client_id", "jti", "iat", "exp"}


@pytest.mark.parametrize("name", ["aud", "resource"])
def test_a_list_of_one_is_its_member_and_a_longer_one_is_refused(name: str) -> None:
    assert getattr(id_jag.read(made(**{name: ["https://one.example"]})), name) == "https://one.example"
    with pytest.raises(id_jag.BadIdJag, match=name):
        id_jag.read(made(**{name: ["https://one.example", "https://two.example"]}))
    with pytest.raises(id_jag.BadIdJag, match=name):
        id_jag.read(made(**{name: []}))


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "client_id", "jti", "iat", "exp"])
def test_a_required_claim_that_is_missing_or_of_another_type_is_refused(name: str) -> None:
    members = made()
    del members[name]
    for wrong in (members, made(**{name: None}), made(**{name: {}}), made(**{name: True})):
        with pytest.raises(id_jag.BadIdJag):
            id_jag.read(wrong)


def test_no_value_is_in_the_error() -> None:
    with pytest.raises(id_jag.BadIdJag) as wrong:
        id_jag.read(made(sub=["a-very-private-subject"]))
    assert "private" not in str(wrong.value)
