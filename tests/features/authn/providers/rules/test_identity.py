"""Worth of what a provider says: nothing, unless the operator says so (R92)."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.account import EnrolledFactor
from doorward.features.authn.flow.rules.assurance import achieved
from doorward.features.authn.flow.rules.standing import stands_by
from doorward.features.authn.providers.rules import identity
from doorward.features.authn.providers.rules.id_token import UpstreamClaims
from doorward.features.authn.providers.settings import ProviderPolicy

NOW = 1_800_000_000
ROW = EnrolledFactor("fac_1", "usr_1", "provider", NOW - 10)


def said(**changes: Any) -> UpstreamClaims:
    values: dict[str, Any] = {
        "issuer": "https://a.example",
        "subject": "s",
        "email": "Ada@B.example",
        "email_verified": True,
    }
    return UpstreamClaims(**{**values, **changes})


@pytest.mark.requirement(92)
@pytest.mark.parametrize(
    ("domains", "claims", "confirmed"),
    [
        ((), {}, None),
        (("*",), {}, "ada@b.example"),
        (("b.example",), {}, "ada@b.example"),
        (("B.Example",), {}, "ada@b.example"),
        (("example",), {}, None),
        (("other.example",), {}, None),
        (("*",), {"email_verified": False}, None),
        (("*",), {"email": None}, None),
        (("*",), {"email": "no address"}, None),
        (("b.example",), {"email": "ada@b.example@evil.example"}, None),
    ],
)
def test_an_address_is_confirmed_by_a_provider_that_is_trusted_for_its_domain(
    domains: tuple[str, ...], claims: dict[str, Any], confirmed: str | None
) -> None:
    assert identity.confirmed_email(said(**claims), ProviderPolicy(email_domains=domains)) == confirmed


def test_an_address_is_stated_whether_or_not_it_is_confirmed() -> None:
    assert identity.stated_email(said(email_verified=False)) == "ada@b.example"
    assert identity.stated_email(said(email=None)) is None


@pytest.mark.requirement(92)
@pytest.mark.parametrize(
    ("policy", "claims", "twice"),
    [
        ({}, {"amr": ("mfa",), "acr": "high"}, False),
        ({"trusted_amr": ("mfa",)}, {"amr": ("pwd", "mfa")}, True),
        ({"trusted_amr": ("mfa",)}, {"amr": ("pwd", "otp")}, False),
        ({"trusted_amr": ("mfa",)}, {"acr": "mfa"}, False),
        ({"trusted_acr": ("high",)}, {"acr": "high"}, True),
        ({"trusted_acr": ("high",)}, {"acr": "low"}, False),
        ({"trusted_acr": ("high",)}, {}, False),
    ],
)
def test_two_factors_are_believed_in_the_words_of_the_settings(
    policy: dict[str, Any], claims: dict[str, Any], twice: bool
) -> None:
    assert identity.two_factors(said(**claims), ProviderPolicy(**policy)) is twice


@pytest.mark.requirement(92)
@pytest.mark.parametrize(
    ("auth_time", "trusted", "anew", "at"),
    [
        (None, True, False, NOW),
        (None, True, True, None),
        (NOW - 5000, True, False, NOW - 5000),
        (NOW - 5000, True, True, None),
        (NOW - 5000, False, False, NOW),
        (NOW - 10, False, True, None),
        (NOW - 10, True, True, NOW),
        (NOW - 80, True, True, NOW),
        (NOW - 91, True, True, None),
        (NOW + 5000, True, False, NOW),
    ],
)
def test_the_time_of_the_sign_in_there_counts_where_it_is_trusted(
    auth_time: int | None, trusted: bool, anew: bool, at: int | None
) -> None:
    found = identity.proof_time(
        said(auth_time=auth_time),
        ProviderPolicy(trust_auth_time=trusted),
        started=NOW - 30,
        anew=anew,
        now=NOW,
    )
    assert found == at


def test_a_proof_is_one_factor_or_two_and_ends_with_the_connection() -> None:
    traits = (identity.PROVIDED, identity.PROVIDED_TWICE)
    once, twice = (identity.proof_of(ROW, twice=two, at=NOW) for two in (False, True))
    assert achieved([once], traits).acr == "urn:doorward:aal1"
    assert achieved([twice], traits).acr == "urn:doorward:aal2"
    for proof in (once, twice):
        assert stands_by(proof, [ROW], {identity.EXTERNAL})
        assert not stands_by(proof, [], {identity.EXTERNAL})


def test_the_mark_of_an_issuer_is_its_hash() -> None:
    """It is stored, so it never changes."""
    assert identity.issuer_mark("https://a.example").hex().startswith("38612c965a9c4c35")
