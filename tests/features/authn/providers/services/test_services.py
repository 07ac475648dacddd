"""The table of services: what their defaults are, and what they read from what a provider says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.model.section import Surroundings
from doorward.features.authn.providers.rules.id_token import BadIdToken, person
from doorward.features.authn.providers.services.discord import DISCORD
from doorward.features.authn.providers.services.index import BY_NAME, SERVICES, service_for
from doorward.features.authn.providers.services.oauth2 import OAUTH2, member
from doorward.features.authn.providers.services.openid import OPENID
from doorward.features.authn.providers.services.service import ProviderService
from doorward.features.authn.providers.settings import NAME, ProviderPolicy

AROUND = Surroundings(issuer="https://auth.example.com", development=False, sends_mail=True, factor_kinds=())
CREDENTIALS = {"client_id": "me", "client_secret": "s"}
FORUM: dict[str, Any] = {
    **CREDENTIALS,
    "service": "oauth2",
    "issuer": "https://forum.example",
    "label": "Forum",
    "authorization_endpoint": "https://forum.example/oauth/authorize",
    "token_endpoint": "https://forum.example/oauth/token",
    "userinfo_endpoint": "https://forum.example/api/{api_version}/me",
}


def problems(name: str, **values: Any) -> list[str]:
    return list(ProviderPolicy.named(name, values).problems_as(name, AROUND))


def test_the_names_are_unique_and_fit_for_a_section() -> None:
    assert len(BY_NAME) == len(SERVICES)
    assert all(NAME.fullmatch(name) for name in BY_NAME)


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.name)
def test_defaults_are_settings_and_trust_nothing(service: ProviderService) -> None:
    known = {one.encode_name for one in msgspec.structs.fields(ProviderPolicy)}
    assert set(service.defaults) <= known
    # whoever trusts a service for something writes it down (R92)
    assert {"email_domains", "trusted_amr", "trusted_acr", "sign_up"}.isdisjoint(service.defaults)
    msgspec.convert(service.defaults, ProviderPolicy, strict=False)


@pytest.mark.parametrize("name", [one.name for one in SERVICES if one not in (OPENID, OAUTH2)])
def test_a_named_service_needs_its_credentials_and_what_it_says(name: str) -> None:
    service, signed = BY_NAME[name], BY_NAME[name].secret_alg is not None
    given = {"client_id": "me"} if signed else CREDENTIALS
    assert [one.rpartition(".")[2] for one in problems(name, **given) if one.endswith("is missing")] == [
        f"{need} is missing" for need in service.needs
    ]
    examples = {"tenants": ("11111111-aaaa-4bbb-8ccc-000000000001",), "team_id": "T", "key_id": "K"}
    own = {need: examples.get(need, "/a/file") for need in service.needs}
    assert problems(name, **given, **own) == []
    if own:
        assert problems("work", **CREDENTIALS, issuer="https://a.example", label="A", **own) != []


def test_a_section_is_the_service_of_its_name_unless_it_says_another() -> None:
    assert service_for("work", None) is OPENID
    assert service_for("oauth2", None) is OAUTH2
    assert service_for("oauth2", "openid") is OPENID
    assert ProviderPolicy.named("work", {}).service == "openid"
    assert "can be openid, oauth2" in problems("work", service="gitbuh", **CREDENTIALS)[0]


def test_the_version_of_an_api_is_filled_into_its_endpoints() -> None:
    policy = ProviderPolicy.named("forum", {**FORUM, "api_version": "v7"})
    assert policy.userinfo_endpoint == "https://forum.example/api/v7/me"
    assert "api_version" in problems("forum", **{**FORUM, "api_version": "../x"})[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token_endpoint": ""}, "token_endpoint is missing"),
        ({"userinfo_endpoint": "http://forum.example/me"}, "should be an address"),
        ({"authorization_endpoint": "https://u@forum.example/"}, "should be an address"),
        ({"subject_member": ""}, "subject_member is empty"),
        ({"client_auth": "private_key_jwt", "client_key_file": "k"}, "needs an OpenID provider"),
        ({"service": "openid"}, 'only for a service that speaks OAuth 2.0 alone (service = "oauth2")'),
        ({"issuer": ""}, "issuer is missing"),
    ],
)
def test_what_is_wrong_in_a_section_without_metadata_is_named(changes: dict[str, str], said: str) -> None:
    assert problems("forum", **FORUM) == []
    assert any(said in one for one in problems("forum", **{**FORUM, **changes}))


def test_only_a_service_without_id_tokens_may_leave_out_pkce_and_nonce() -> None:
    assert problems("forum", **FORUM, pkce=False) == []
    openid = {**CREDENTIALS, "issuer": "https://a.example", "label": "A", "pkce": False, "nonce": False}
    assert "nothing ties a code" in problems("a", **openid)[0]


@pytest.mark.parametrize(
    ("document", "subject"),
    [
        ({"id": 42}, "42"),
        ({"id": "42"}, "42"),
        ({"id": 0}, "0"),
        ({"id": True}, None),
        ({"id": 4.5}, None),
        ({"id": ""}, None),
        ({"id": None}, None),
        ({"id": {"a": 1}}, None),
        ({}, None),
        ({"id": "x" * 256}, None),
    ],
)
def test_a_person_without_a_fixed_key_is_nobody(document: dict[str, Any], subject: str | None) -> None:
    policy = ProviderPolicy.named("forum", FORUM)
    if subject is None:
        with pytest.raises(BadIdToken):
            person(document, issuer=policy.issuer, service=OAUTH2, policy=policy)
    else:
        found = person(document, issuer=policy.issuer, service=OAUTH2, policy=policy)
        assert (found.issuer, found.subject) == ("https://forum.example", subject)


@pytest.mark.requirement(92)
@pytest.mark.parametrize(
    ("verified_member", "said", "confirmed"),
    [
        ("", True, False),
        ("ok", True, True),
        ("ok", "true", False),
        ("ok", 1, False),
        ("ok", None, False),
    ],
)
def test_an_address_is_confirmed_only_by_the_member_that_the_settings_name(
    verified_member: str, said: object, confirmed: bool
) -> None:
    policy = ProviderPolicy.named("forum", {**FORUM, "email_verified_member": verified_member})
    document = {"id": 1, "email": "ada@example.com", "ok": said, "email_verified": True}
    found = person(document, issuer=policy.issuer, service=OAUTH2, policy=policy)
    assert (found.email, found.email_verified) == ("ada@example.com", confirmed)


def test_a_path_leads_into_the_document() -> None:
    document = {"data": {"user": {"id": 7}}, "a.b": 1}
    assert member(document, "data.user.id") == 7
    for path in ("data.user.id.more", "data.nobody.id", "a.b", "", "data."):
        assert member(document, path) is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": "invalid_grant", "error_description": "the code abc"}, "invalid_grant"),
        ({"error": "the code abc"}, "without a code"),
        ({"error": {"message": "the code abc"}}, "without a code"),
        ({}, "without a code"),
    ],
)
def test_an_error_is_logged_by_its_code_alone(answer: dict[str, Any], code: str) -> None:
    assert OPENID.error_code(answer) == code


def test_a_name_of_discord_is_the_one_shown_or_that_of_the_user() -> None:
    policy = ProviderPolicy.named("discord", CREDENTIALS)
    for shown, name in (("Ada L.", "Ada L."), (None, "ada"), ("", "ada")):
        document = {"id": "80351110224678912", "username": "ada", "global_name": shown}
        found = person(document, issuer=policy.issuer, service=DISCORD, policy=policy)
        assert (found.subject, found.name) == ("80351110224678912", name)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_LISTED = st.lists(
    st.dictionaries(st.sampled_from(["email", "primary", "verified"]), st.just(True) | _ANY), max_size=3
)
_MEMBERS = ("id", "name", "global_name", "username", "login", "email", "verified", "user")


@pytest.mark.parametrize(
    "service", [one for one in SERVICES if one.protocol == "oauth2"], ids=lambda one: one.name
)
@given(document=st.dictionaries(st.sampled_from(_MEMBERS), _ANY), emails=_LISTED | _ANY)
def test_whatever_a_document_holds_it_is_a_person_or_nobody(
    service: ProviderService, document: dict[str, Any], emails: Any
) -> None:
    policy = ProviderPolicy.named(service.name, {**FORUM, "service": service.name})
    try:
        found = person({**document, "emails": emails}, issuer=policy.issuer, service=service, policy=policy)
    except BadIdToken:
        return
    assert found.subject
    assert found.subject.isascii()
    assert found.email is not None or not found.email_verified


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.name)
@given(answer=st.dictionaries(st.just("error"), _ANY))
def test_whatever_an_error_is_its_code_is_short_and_plain(
    service: ProviderService, answer: dict[str, Any]
) -> None:
    code = service.error_code(answer)
    assert code.isascii()
    assert len(code) <= 80
    assert code.replace("_", "").replace(" ", "").isalnum()
