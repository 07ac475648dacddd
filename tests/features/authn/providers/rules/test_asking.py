"""Parameters of an app's request that go on to a provider (OpenID Connect Core §3.1.2.1)."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.request import AuthRequest
from doorward.core.model.signin import SignIn
from doorward.features.authn.providers.rules.asking import asked_of_provider, must_be_new
from doorward.features.authn.providers.settings import ProviderPolicy

NOW = 1_800_000_000
PLAIN = ProviderPolicy()
TRUSTED = ProviderPolicy(trusted_acr=("urn:there:mfa", "urn:there:key"))


def signing_in(*, fresh_after: int | None = None, app: bool = True, **request: Any) -> SignIn:
    values: dict[str, Any] = {"client_id": "c", "redirect_uri": "r", "response_mode": "query"}
    asked = AuthRequest(**{**values, "scopes": (), "audience": "a", **request}) if app else None
    return SignIn(id="sin_1", created_at=NOW, expires_at=NOW + 9, request=asked, fresh_after=fresh_after)


@pytest.mark.requirement(92)
@pytest.mark.parametrize(
    ("request_", "anew"),
    [
        ({}, False),
        ({"prompt": frozenset({"login"}), "fresh_after": NOW}, True),
        ({"prompt": frozenset({"login"}), "max_age": 60, "fresh_after": NOW}, True),
        ({"max_age": 0, "fresh_after": NOW}, True),
        ({"max_age": 60, "fresh_after": NOW - 60}, False),
        # a sensitive change on the account pages
        ({"app": False, "fresh_after": NOW}, True),
        ({"app": False}, False),
    ],
)
def test_who_has_to_sign_in_there_again(request_: dict[str, Any], anew: bool) -> None:
    assert must_be_new(signing_in(**request_)) == anew


@pytest.mark.requirement(92)
@pytest.mark.parametrize(
    ("request_", "policy", "anew", "expected"),
    [
        ({}, PLAIN, False, {}),
        ({}, PLAIN, True, {"prompt": "login", "max_age": "0"}),
        ({"max_age": 60}, PLAIN, False, {"max_age": "60"}),
        ({"max_age": 60}, PLAIN, True, {"prompt": "login", "max_age": "0"}),
        ({"prompt": frozenset({"select_account"})}, PLAIN, False, {"prompt": "select_account"}),
        (
            {"prompt": frozenset({"select_account", "login"})},
            PLAIN,
            True,
            {"prompt": "login select_account", "max_age": "0"},
        ),
        # questions for this server alone
        ({"prompt": frozenset({"consent", "create"})}, PLAIN, False, {}),
        # a level of this server means nothing there, unless the operator has named the words of the provider
        ({"acr_values": (AAL2,)}, PLAIN, False, {}),
        ({"acr_values": (AAL2,)}, TRUSTED, False, {"acr_values": "urn:there:mfa urn:there:key"}),
        ({"acr_values": (AAL1,)}, TRUSTED, False, {}),
        ({"acr_values": ("urn:there:mfa",)}, TRUSTED, False, {}),
        ({"login_hint": "ada@example.com"}, PLAIN, False, {"login_hint": "ada@example.com"}),
        ({"ui_locales": ("pt-BR", "de")}, PLAIN, False, {"ui_locales": "pt-BR de"}),
    ],
)
def test_what_means_something_there_goes_on(
    request_: dict[str, Any], policy: ProviderPolicy, anew: bool, expected: dict[str, str]
) -> None:
    assert asked_of_provider(signing_in(**request_), policy, anew=anew) == expected


def test_what_was_typed_and_the_language_of_the_page_go_on_too() -> None:
    sign_in = signing_in(login_hint="old@example.com", ui_locales=("fr",))
    asked = asked_of_provider(sign_in, PLAIN, anew=False, hint="ada@example.com", locale="fr")
    assert asked == {"login_hint": "ada@example.com", "ui_locales": "fr"}
    assert asked_of_provider(None, PLAIN, anew=False, locale="de") == {"ui_locales": "de"}
