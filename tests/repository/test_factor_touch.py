"""Tests of the files outside a factor's folder that name it: the list of each factor, which may not grow unseen."""

from __future__ import annotations

import pytest

from tests.repository.test_where_to_add import MOST
from tools.factor_touch import FACTORS

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
        "features/authn/flow/risk.py",
    ],
    "passkeys": [
        KIND,
        *LISTS,
        "cli/app.py",
        "features/risk/rules/history.py",
        "storage/sql/store.py",
    ],
    "totp": [
        KIND,
        "cli/problems.py",
        "core/model/problem.py",
        "features/authn/flow/rules/vouching.py",
        "features/authn/index.py",
    ],
    "recovery_codes": [
        KIND,
        "features/authn/flow/rules/vouching.py",
        "features/authn/index.py",
    ],
}
"""The decision on parts of factors says why these lists are as long as they are."""


@pytest.mark.parametrize("factor", FACTORS.names)
def test_no_other_file_names_the_factor(factor: str) -> None:
    """A file that is new here: declare what it needs in the folder of the factor (`parts.py`), or add it to the list with its reason
    in the decision. A file that is gone: remove it from the list."""
    assert FACTORS.touched(factor) == sorted(OUTSIDE[factor])


@pytest.mark.parametrize("factor", FACTORS.names)
def test_a_factor_is_named_in_six_files_at_most(factor: str) -> None:
    assert len(OUTSIDE[factor]) <= MOST


def test_every_factor_but_the_password_has_its_words() -> None:
    folders = {path.name for path in FACTORS.folder.iterdir() if (path / "__init__.py").is_file()}
    assert folders - {"password"} == set(FACTORS.names)


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
    assert FACTORS.named(text, factor) is is_named
