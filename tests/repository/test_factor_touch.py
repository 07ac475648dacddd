"""Tests of the files outside a factor's folder that name it: the list of each factor, which may not grow unseen."""

from __future__ import annotations

import pytest

from tests.repository.test_where_to_add import MOST
from tools.factor_touch import FACTORS, NAMES, named, touched

LISTS = ("features/authn/index.py", "settings/tree.py")
"""One line for the folder, and one for its section of the settings."""
KIND = "core/model/policy.py"
"""The names of the kinds, which settings, rows and commands share: an unknown one is a type error."""

OUTSIDE = {
    "sms": [
        KIND,
        *LISTS,
        "storage/sql/store.py",
    ],
    "email_code": [
        KIND,
        *LISTS,
        "features/authn/email_challenges/service.py",
        "web/pages/templates/sent_code.html",
        "web/pages/views/sent_code.py",
    ],
    "passkeys": [
        KIND,
        *LISTS,
        "cli/app.py",
        "features/accounts/feature.py",
        "features/accounts/self_service_routes.py",
        "features/authn/factors/password/routes.py",
        "features/authn/factors/recovery_codes/rules.py",
        "features/authn/flow/factor.py",
        "features/authn/flow/pages.py",
        "features/authn/flow/sign_in_flow.py",
        "features/authn/methods/routes.py",
        "features/authn/trusted_device/service.py",
        "features/oauth/first_party/challenge_routes.py",
        "storage/sql/store.py",
        "web/pages/icons.py",
        "web/pages/static.py",
        "web/pages/templates/account/methods.html",
        "web/pages/templates/account/profile.html",
        "web/pages/templates/sign_in.html",
        "web/pages/views/account.py",
        "web/pages/views/sign_in.py",
    ],
    "totp": [
        KIND,
        "cli/problems.py",
        "core/model/problem.py",
        "features/admin/imports/writes.py",
        "features/authn/flow/enrolment_choice.py",
        "features/authn/flow/rules/vouching.py",
        "features/authn/flow/typed_code_routes.py",
        "features/authn/index.py",
        "features/authn/methods/authenticator.py",
        "features/authn/methods/build.py",
        "features/authn/methods/routes.py",
        "features/authn/methods/service.py",
        "web/pages/templates/account/methods.html",
        "web/pages/templates/second_factor.html",
        "web/pages/views/account.py",
        "web/pages/views/sign_in.py",
    ],
    "recovery_codes": [
        KIND,
        "features/authn/flow/enrolment.py",
        "features/authn/flow/rules/vouching.py",
        "features/authn/flow/typed_code_routes.py",
        "features/authn/index.py",
        "features/authn/methods/routes.py",
        "features/authn/methods/service.py",
        "web/pages/templates/account/methods.html",
        "web/pages/templates/second_factor.html",
        "web/pages/views/account.py",
        "web/pages/views/problems.py",
        "web/pages/views/sign_in.py",
    ],
}
"""The decision on parts of factors says why these lists are as long as they are."""


@pytest.mark.parametrize("factor", NAMES)
def test_no_other_file_names_the_factor(factor: str) -> None:
    """A file that is new here: declare what it needs in the folder of the factor (`parts.py`), or add it to the list with its reason
    in the decision. A file that is gone: remove it from the list."""
    assert touched(factor) == sorted(OUTSIDE[factor])


def test_what_registers_a_factor_is_six_files_at_most() -> None:
    for factor in ("sms", "email_code"):
        assert len(OUTSIDE[factor]) <= MOST, factor


def test_every_factor_but_the_password_has_its_words() -> None:
    folders = {path.name for path in FACTORS.iterdir() if (path / "__init__.py").is_file()}
    assert folders - {"password"} == set(NAMES)


@pytest.mark.parametrize(
    ("text", "factor", "is_named"),
    [
        ("SmsPolicy", "sms", True),
        ("outgoing_sms", "sms", True),
        ("/account/methods/phone_new", "sms", True),
        ("doorward.features.authn.factors.sms.build", "sms", True),
        ("smsx", "sms", False),
        ("iPhone", "sms", False),
        ("silentPasskeys", "passkeys", True),
        ("security_key", "passkeys", True),
        ("keys", "passkeys", False),
        ("MailCodesView", "email_code", True),
        ("email_challenges", "email_code", False),
    ],
)
def test_identifiers_and_addresses_are_split_into_words(text: str, factor: str, is_named: bool) -> None:
    assert named(text, factor) is is_named
