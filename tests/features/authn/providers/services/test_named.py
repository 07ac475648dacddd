"""Google, Apple and Entra: what each reads from claims, and what is wrong in its section."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorward.core.model.section import Surroundings
from doorward.features.authn.providers.examine import openid_findings
from doorward.features.authn.providers.rules.id_token import AccountNotAllowed, BadIdToken, checked_claims
from doorward.features.authn.providers.rules.identity import counting_marks, issuer_mark, kept_under
from doorward.features.authn.providers.rules.metadata import (
    BadProviderMetadata,
    ProviderMetadata,
    parse_provider_metadata,
    response_issuer_problem,
)
from doorward.features.authn.providers.services.apple import APPLE
from doorward.features.authn.providers.services.entra import ENTRA
from doorward.features.authn.providers.services.google import GOOGLE
from doorward.features.authn.providers.settings import ProviderPolicy

AROUND = Surroundings(issuer="https://auth.example.com", development=False, sends_mail=True, factor_kinds=())
ONE, TWO = "11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"
HOST = "https://login.microsoftonline.com"


def policy(name: str, **values: Any) -> ProviderPolicy:
    return ProviderPolicy.named(name, {"client_id": "me", "client_secret": "s", **values})


def problems(name: str, **values: Any) -> list[str]:
    return list(policy(name, **values).problems_as(name, AROUND))


@pytest.mark.parametrize(
    ("iss", "good"),
    [
        ("https://accounts.google.com", True),
        ("accounts.google.com", True),
        ("http://accounts.google.com", False),
        ("https://accounts.google.com/", False),
        ("accounts.google.com.evil.example", False),
        (None, False),
        (["accounts.google.com"], False),
    ],
)
def test_google_has_two_names(iss: object, good: bool) -> None:
    assert (GOOGLE.issuer({"iss": iss}, policy("google")) is not None) is good


@pytest.mark.parametrize(
    ("allowed", "hd", "refused"),
    [
        ((), None, False),
        ((), "example.com", False),
        (("example.com",), "example.com", False),
        (("Example.com",), "EXAMPLE.com", False),
        (("example.com",), None, True),
        (("example.com",), "", True),
        (("example.com",), "evil.example", True),
        (("example.com",), ["example.com"], True),
        (("*",), "anything.example", False),
        (("*",), None, True),
        (("*",), "", True),
    ],
)
def test_the_hosted_domain_is_that_of_the_claim(allowed: tuple[str, ...], hd: object, refused: bool) -> None:
    said = GOOGLE.refusal({"hd": hd}, policy("google", hosted_domains=allowed))
    assert (said is not None) is refused


def test_the_hint_names_one_domain_or_any() -> None:
    assert "hd" not in GOOGLE.parameters(policy("google"))
    assert GOOGLE.parameters(policy("google", hosted_domains=("a.example",)))["hd"] == "a.example"
    assert GOOGLE.parameters(policy("google", hosted_domains=("a.example", "b.example")))["hd"] == "*"


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"name": {"firstName": "Grace", "lastName": "Hopper"}, "email": "x"}, "Grace Hopper"),
        ({"name": {"firstName": "Grace"}}, "Grace"),
        ({"name": {"firstName": "", "lastName": "Hopper"}}, "Hopper"),
        ({"name": {"firstName": 7, "lastName": None}}, ""),
        ({"name": "Grace"}, ""),
        ({"name": None}, ""),
        ({}, ""),
        ([], ""),
        ("Grace", ""),
        ({"name": {"firstName": "x" * 500}}, "x" * 120),
        ({"name": {"firstName": "x" * 5000}}, ""),
    ],
)
def test_apples_name_is_read_from_a_well_formed_user_alone(user: object, name: str) -> None:
    assert APPLE.posted_name({"user": json.dumps(user)}) == name


@pytest.mark.parametrize("user", ["", "{", "[" * 3999, '{"name":' * 400, "null", "\x00"])
def test_whatever_else_stands_in_user_is_no_name(user: str) -> None:
    assert APPLE.posted_name({"user": user}) == ""
    assert APPLE.posted_name({}) == ""


def test_apples_secret_is_for_this_client_and_for_minutes() -> None:
    section = ProviderPolicy.named("apple", {"client_id": "com.example.web", "team_id": "T", "key_id": "K"})
    said = APPLE.secret_claims(section, 1000)
    assert said == {
        "iss": "T",
        "iat": 1000,
        "exp": 1300,
        "aud": "https://appleid.apple.com",
        "sub": "com.example.web",
    }


def test_a_secret_beside_apples_key_is_a_mistake() -> None:
    values = {"team_id": "T", "key_id": "K", "client_key_file": "k.p8"}
    assert problems("apple", **values) == [
        "apple.client_secret is given, and this service's secret is made with client_key_file"
    ]


@pytest.mark.parametrize(
    ("tenants", "issuer", "metadata"),
    [
        ((ONE,), f"{HOST}/{ONE}/v2.0", f"{HOST}/{ONE}/v2.0"),
        ((ONE.upper(),), f"{HOST}/{ONE}/v2.0", f"{HOST}/{ONE}/v2.0"),
        ((ONE, TWO), f"{HOST}/organizations/v2.0", f"{HOST}/{{tenantid}}/v2.0"),
        (("*",), f"{HOST}/organizations/v2.0", f"{HOST}/{{tenantid}}/v2.0"),
    ],
)
def test_the_tenants_say_where_entras_metadata_are(
    tenants: tuple[str, ...], issuer: str, metadata: str
) -> None:
    section = policy("entra", tenants=tenants)
    assert list(section.problems_as("entra", AROUND)) == []
    assert (section.issuer, ENTRA.metadata_issuer(section)) == (issuer, metadata)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "tenants is missing"),
        ({"tenants": ("contoso.com",)}, "should be the id of a tenant"),
        ({"tenants": (ONE,), "issuer": f"{HOST}/{ONE}"}, "leave it out"),
        (
            {"tenants": (ONE,), "client_auth": "private_key_jwt", "client_key_file": "k"},
            "use a client secret",
        ),
    ],
)
def test_what_is_wrong_in_entras_section_is_named(values: dict[str, Any], said: str) -> None:
    assert any(said in one for one in problems("entra", **values))


def test_a_hosted_domain_is_a_domain() -> None:
    for wrong in ("example", "a@example.com"):
        assert "should be a domain" in problems("google", hosted_domains=(wrong,))[0]


@pytest.mark.parametrize(
    ("tid", "iss", "good"),
    [
        (ONE, f"{HOST}/{ONE}/v2.0", True),
        (ONE, f"{HOST}/{TWO}/v2.0", False),
        (TWO, f"{HOST}/{TWO}/v2.0", False),
        (ONE.upper(), f"{HOST}/{ONE.upper()}/v2.0", False),
        (ONE, f"https://evil.example/{ONE}/v2.0", False),
        (ONE, f"{HOST}/{{tenantid}}/v2.0", False),
        ("{tenantid}", f"{HOST}/{{tenantid}}/v2.0", False),
        (f"{ONE}\n", f"{HOST}/{ONE}\n/v2.0", False),
        (None, f"{HOST}/None/v2.0", False),
    ],
)
def test_a_tenant_speaks_for_itself_alone(tid: object, iss: str, good: bool) -> None:
    """go-oidc#121."""
    section, claims = (
        policy("entra", tenants=(ONE, "33333333-aaaa-4bbb-8ccc-000000000003")),
        {"tid": tid, "iss": iss},
    )
    accepted = ENTRA.refusal(claims, section) is None and ENTRA.issuer(claims, section) == iss
    assert accepted is good


def test_a_template_is_only_accepted_where_the_service_has_one() -> None:
    document = json.dumps(
        {
            "issuer": f"{HOST}/{{tenantid}}/v2.0",
            "authorization_endpoint": f"{HOST}/a",
            "token_endpoint": f"{HOST}/t",
            "jwks_uri": f"{HOST}/k",
        }
    ).encode()
    many, one = policy("entra", tenants=(ONE, TWO)), policy("entra", tenants=(ONE,))
    metadata = parse_provider_metadata(ENTRA.metadata_issuer(many), document)
    assert response_issuer_problem(metadata, f"{HOST}/{ONE}/v2.0") is None
    for issuer in (ENTRA.metadata_issuer(one), GOOGLE.metadata_issuer(policy("google"))):
        with pytest.raises(BadProviderMetadata, match="names the issuer"):
            parse_provider_metadata(issuer, document)


def test_a_connection_is_kept_under_what_the_settings_name() -> None:
    first = f"{HOST}/{ONE}/v2.0"
    listed, every = policy("entra", tenants=(ONE, TWO)), policy("entra", tenants=("*",))
    assert (
        kept_under(first, listed) == kept_under(first, policy("entra", tenants=(ONE,))) == issuer_mark(first)
    )
    assert kept_under(first, listed) in counting_marks(listed)
    assert kept_under(first, every) in counting_marks(every)
    assert kept_under(first, every) not in counting_marks(listed)
    assert issuer_mark(first) not in counting_marks(policy("entra", tenants=(TWO,)))
    google = policy("google")
    assert counting_marks(google) == {kept_under(google.issuer, google)} == {issuer_mark(google.issuer)}


@pytest.mark.parametrize(
    ("service", "issuer", "better"),
    [
        ("openid", "https://accounts.google.com", "google"),
        ("openid", "https://appleid.apple.com", "apple"),
        ("openid", f"{HOST}/{ONE}/v2.0", "entra"),
        ("openid", "https://gitlab.com", "gitlab"),
        ("google", "https://accounts.google.com", None),
        ("openid", "https://accounts.google.com.evil.example", None),
        ("openid", "https://login.microsoftonline.com.evil.example/x/v2.0", None),
        ("openid", "https://id.example", None),
    ],
)
def test_a_service_under_another_name_is_pointed_out(service: str, issuer: str, better: str | None) -> None:
    section = policy("work", service=service, issuer=issuer, label="Work", email_domains=("*",))
    metadata = ProviderMetadata(
        issuer=issuer, authorization_endpoint="a", token_endpoint="t", jwks_uri="k", names_issuer=True
    )
    found = openid_findings(metadata, ["RS256"], policy=section, warnings=())
    said = f'its issuer is that of service = "{better}"; as "openid" its claims are taken as they stand'
    assert found.warnings == (() if better is None else (said,))


def test_trust_in_every_tenant_is_pointed_out() -> None:
    (said,) = ENTRA.warnings(policy("entra", tenants=("*",), trusted_amr=("mfa",)), 0)
    assert said == "every tenant may sign in, and trusted_amr trusts what each of them says"
    mapped = policy("entra", tenants=("*",), roles_claim="groups", roles=("a -> b",))
    assert ENTRA.warnings(mapped, 0) == ("every tenant may sign in, and roles trusts what each of them says",)
    assert ENTRA.warnings(policy("entra", tenants=("*",)), 0) == ()
    assert ENTRA.warnings(policy("entra", tenants=(ONE,), trusted_amr=("mfa",)), 0) == ()


def test_who_may_sign_in_is_decided_last() -> None:
    """So that "choose another account" is said of an answer that is good in everything else."""
    section = policy("google", hosted_domains=("example.com",))
    claims = {
        "iss": section.issuer,
        "aud": "me",
        "exp": 1300,
        "iat": 1000,
        "nonce": "n",
        "sub": "1",
        "hd": "b.example",
    }
    with pytest.raises(AccountNotAllowed):
        checked_claims(claims, service=GOOGLE, policy=section, nonce="n", now=1000)
    for spoiled in ({"nonce": "m"}, {"aud": "you"}, {"exp": 1}, {"iss": "https://b.example"}, {"sub": ""}):
        with pytest.raises(BadIdToken) as refused:
            checked_claims({**claims, **spoiled}, service=GOOGLE, policy=section, nonce="n", now=1000)
        assert not isinstance(refused.value, AccountNotAllowed), spoiled
