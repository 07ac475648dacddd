"""Kinds of apps and the credentials allowed for each."""

from __future__ import annotations

from typing import get_args

import pytest
from msgspec import structs

from doorward.core.model.client import SECRET_METHODS, Client
from doorward.core.model.problem import problem
from doorward.features.oauth.clients.rules import kinds
from doorward.features.oauth.clients.rules.kinds import KINDS, AppKind

APP = Client(id="app_1", name="app", auth_method="none", created_at=0)
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
JWKS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}


def test_every_kind_has_a_rule() -> None:
    assert set(KINDS) == set(get_args(AppKind))


@pytest.mark.requirement(17)
@pytest.mark.parametrize("kind", get_args(AppKind))
@pytest.mark.parametrize("method", METHODS)
def test_a_readable_app_has_no_secret_and_a_service_has_a_credential(kind: AppKind, method: str) -> None:
    found = kinds.problem(structs.replace(APP, auth_method=method), kind=kind)
    if method in SECRET_METHODS and kind in {"spa", "native", "device"}:
        assert found == problem("kind_without_secret", kind=kind)
    elif method == "none" and kind == "service":
        assert found == problem("service_without_credential")
    else:
        assert found is None


@pytest.mark.parametrize(
    ("grant_types", "allowed"), [(("lone",), True), (("lone", "client_credentials"), False), ((), False)]
)
def test_a_service_without_credential_has_only_grants_that_bring_one(
    grant_types: tuple[str, ...], *, allowed: bool
) -> None:
    app = structs.replace(APP, grant_types=grant_types)
    assert (kinds.problem(app, kind="service", alone={"lone"}) is None) is allowed
    assert kinds.problem(app, kind="service") == problem("service_without_credential")


@pytest.mark.parametrize("kind", get_args(AppKind))
def test_the_default_method_of_a_kind_is_allowed_for_it(kind: AppKind) -> None:
    method = kinds.auth_method(kind)
    app = structs.replace(APP, auth_method=method, pkce=kinds.pkce(kind, method))
    assert kinds.problem(app, kind=kind) is None
    assert (app.pkce == "required") is (kind != "web")
    assert bool(kinds.oidc_scopes(kind)) is (kind != "service")


@pytest.mark.parametrize("kind", get_args(AppKind))
def test_keys_are_preferred_and_a_public_app_uses_no_credential(kind: AppKind) -> None:
    assert kinds.auth_method(kind, has_keys=True) == "private_key_jwt"
    assert kinds.auth_method(kind, has_keys=True, public=True) == "none"


def test_a_credential_is_removed_with_its_method() -> None:
    old = structs.replace(APP, auth_method="private_key_jwt", jwks=JWKS, pkce="or_nonce")
    public = kinds.without_unused_credentials(structs.replace(old, auth_method="none"), old=old)
    assert (public.jwks, public.pkce) == (None, "required")
    same = structs.replace(old, name="other")
    assert kinds.without_unused_credentials(same, old=old) == same
