"""Rules of remembered devices, for every secret, browser and change of the account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.digest import digest
from doorward.core.model.remembered_device import RememberedDevice
from doorward.features.authn.trusted_device import rules as rule
from doorward.features.authn.trusted_device.rules import Value
from tests.browsing import CHROME
from tests.features import made
from tests.manual_clock import NOW
from tests.trusting import IPHONE

ID, SECRET, BEFORE = "dev_" + "0" * 32, "a" * 43, "b" * 43
DEVICE = RememberedDevice(
    id=ID,
    account_id="usr_ada",
    secret_hash=digest(SECRET),
    previous_hash=digest(BEFORE),
    rotated_at=NOW,
    user_agent=CHROME,
    address="192.0.2.1",
    factors_mark="",
    created_at=NOW,
    used_at=NOW,
    expires_at=NOW + 1,
)
TOTP = EnrolledFactor("fac_a", "usr_ada", "totp", NOW)
PHONE = EnrolledFactor("fac_b", "usr_ada", "sms", NOW)


@pytest.mark.parametrize(
    ("secret", "after", "what"),
    [
        (SECRET, 0, "current"),
        (SECRET, 10_000, "current"),
        (BEFORE, 60, "previous"),
        (BEFORE, 61, "spent"),
        # the clock of another node, or one that was set back
        (BEFORE, -300, "previous"),
        ("c" * 43, 0, "spent"),
        ("", 0, "spent"),
    ],
)
def test_a_replaced_secret_counts_for_a_minute(secret: str, after: int, what: str) -> None:
    assert rule.secret_of(DEVICE, digest(secret), NOW + after) == what
    first = structs.replace(DEVICE, previous_hash=None)
    assert rule.secret_of(first, digest(secret), NOW + after) == ("current" if secret == SECRET else "spent")


@pytest.mark.parametrize(
    ("user_agent", "same"),
    [
        (CHROME, True),
        (CHROME.replace("140", "150"), True),
        (CHROME.replace("X11; Linux x86_64", "Windows NT 10.0"), False),
        (f"{CHROME} Edg/140", False),
        (IPHONE, False),
        ("", False),
    ],
)
def test_a_device_is_a_kind_of_browser_on_a_system(user_agent: str, same: bool) -> None:
    assert rule.alike(DEVICE, user_agent) is same
    unknown = structs.replace(DEVICE, user_agent="TelevisionApp/1.2")
    assert rule.alike(unknown, "TelevisionApp/2.0")
    assert rule.alike(unknown, user_agent) is (user_agent == "")


@pytest.mark.requirement(94)
def test_the_mark_changes_with_the_password_and_with_each_factor() -> None:
    ada = made.account(password_changed_at=NOW)
    usual = rule.mark(ada, [TOTP, PHONE], ())
    assert usual == rule.mark(structs.replace(ada, name="Grace", password_hash="$2"), [PHONE, TOTP], ())
    assert usual == rule.mark(ada, [TOTP, PHONE, structs.replace(TOTP, id="fac_c")], {"fac_c"})
    others = [
        rule.mark(structs.replace(ada, password_changed_at=NOW + 1), [TOTP, PHONE], ()),
        rule.mark(ada.with_password("x", NOW), [TOTP, PHONE], ()),
        rule.mark(ada, [TOTP], ()),
        rule.mark(ada, [], ()),
        rule.mark(ada, [structs.replace(TOTP, id="fac_c"), PHONE], ()),
        rule.mark(ada, [structs.replace(TOTP, kind="security_key"), PHONE], ()),
        rule.mark(ada, [TOTP, PHONE, structs.replace(TOTP, id="fac_c")], ()),
    ]
    assert len({usual, *others}) == 8


def test_the_mark_is_stored_and_never_changes() -> None:
    ada = made.account(password_changed_at=1_800_000_000)
    said = "1800000000\nfac_a totp\nfac_b sms"
    assert rule.mark(ada, [PHONE, TOTP], ()) == digest(said).hex()


@given(st.lists(st.text(max_size=100), max_size=9))
def test_anything_but_a_value_is_ignored(given: list[str]) -> None:
    assert rule.read(given) == ()


def test_values_are_read_as_they_were_given() -> None:
    values = [Value(f"dev_{number:032x}", f"{number}" * 43) for number in range(9)]
    held = rule.joined(values)
    assert rule.read(held.split(".")) == tuple(values[: rule.MOST_SHOWN])
    assert rule.read([f"{ID}~{SECRET}x", f"{ID}~", f"{ID}{SECRET}", f"usr_{ID[4:]}~{SECRET}", ""]) == ()
