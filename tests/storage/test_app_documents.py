"""Documents of apps, read and written by two versions: never interpreted as something weaker."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
from msgspec import Struct, field, structs

from doorward.core.model.client import Client, ClientSecret, Pkce
from doorward.features.oauth.tokens.rules import access
from doorward.storage.sql import app_document
from tests.storage.samples import api, client

Algorithm = Literal["ES256", "RS256", "Ed25519"]


class Before(Struct, frozen=True, kw_only=True):
    """An app as the previous version read and wrote it: every member that it knew, and no other."""

    id: str
    name: str
    auth_method: Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
    created_at: int
    secrets: tuple[ClientSecret, ...] = ()
    jwks: dict[str, Any] | None = None
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    origins: tuple[str, ...] = ()
    grant_types: tuple[Literal["authorization_code", "refresh_token", "client_credentials"], ...] = (
        "authorization_code",
        "refresh_token",
    )
    response_modes: tuple[Literal["query", "form_post"], ...] = ("query", "form_post")
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email", "offline_access")
    access: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first_party: bool = False
    pkce_required: bool = True
    rotation: bool = True
    access_token_ttl: int | None = None
    refresh_token_ttl: int | None = None
    default_max_age: int | None = None
    signing_alg: Algorithm = "ES256"
    userinfo_signed_alg: Algorithm | None = None


def before(document: str) -> Before:
    """A document as the previous version reads it."""
    return msgspec.json.decode(document, type=Before)


def written_before(app: Before) -> str:
    """A document as the previous version writes it."""
    return msgspec.json.encode(app).decode()


def stored_before(**changes: Any) -> Client:
    """An app registered by the previous version, as it is read now."""
    values: dict[str, Any] = {
        "id": "app_old",
        "name": "Old",
        "auth_method": "client_secret_basic",
        "created_at": 1,
        "redirect_uris": ("https://shop.example/cb",),
    }
    return app_document.read(written_before(Before(**values | changes)))


def test_a_document_is_read_as_it_was_written() -> None:
    for app in (client(), client(pkce="or_nonce"), client(pkce="optional", response_modes=("form_post",))):
        assert app_document.read(app_document.write(app)) == app


@pytest.mark.requirement(101)
@pytest.mark.parametrize(("stored", "meant"), [(True, "required"), (False, "or_nonce")])
def test_an_app_of_the_previous_version_keeps_its_pkce_setting(stored: bool, meant: Pkce) -> None:
    assert stored_before(pkce_required=stored).pkce == meant


@pytest.mark.requirement(101)
@pytest.mark.parametrize("pkce", ["required", "or_nonce", "optional"])
def test_the_previous_version_makes_no_app_weaker(pkce: Pkce) -> None:
    # It had two kinds: required, and a nonce instead.
    document = app_document.write(client(pkce=pkce))
    assert before(document).pkce_required is (pkce == "required")
    rewritten = app_document.read(written_before(before(document)))
    assert rewritten.pkce == ("required" if pkce == "required" else "or_nonce")


@pytest.mark.requirement(24)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_an_app_of_the_previous_version_may_send_its_secret_either_way(
    method: Literal["client_secret_basic", "client_secret_post"],
) -> None:
    assert not stored_before(auth_method=method).auth_pinned
    # and the previous version finds a method that it knows, whatever is registered now
    for pinned in (False, True):
        document = app_document.write(client(auth_method=method, auth_pinned=pinned))
        assert before(document).auth_method == method


@pytest.mark.parametrize("alg", ["ES256", "RS256", "Ed25519"])
def test_an_app_of_the_previous_version_keeps_the_algorithm_of_all_its_tokens(alg: Algorithm) -> None:
    app = stored_before(signing_alg=alg)
    assert app.id_token_signed_alg == alg
    assert access.form(app, None) == (alg, "at+jwt")
    assert access.form(app, api()) == (alg, "at+jwt")
    # until it is changed, or its API has a choice of its own
    changed = app_document.read(app_document.write(structs.replace(app, id_token_signed_alg="ES256")))
    assert (changed.id_token_signed_alg, access.form(changed, api())[0]) == ("ES256", alg)
    assert access.form(app, api(signing_alg="RS256", token_type="JWT")) == ("RS256", "JWT")


def test_the_previous_version_signs_id_tokens_with_the_apps_algorithm() -> None:
    document = app_document.write(client(id_token_signed_alg="RS256"))
    assert before(document).signing_alg == "RS256"
    # when it writes the app again, the app has one algorithm for both
    rewritten = app_document.read(written_before(before(document)))
    assert (rewritten.id_token_signed_alg, rewritten.access_token_signed_alg) == ("RS256", "RS256")
