"""Domains whose people sign in at a provider."""

from __future__ import annotations

import pytest

from doorward.features.authn.flow.rules.routing import DomainRoutes, RoutedDomain

CORP = RoutedDomain(domain="example.com", provider="corp", label="Corp", only=True)
SHOP = RoutedDomain(domain="xn--bcher-kva.example", provider="shop", label="Shop")
ROUTES = DomainRoutes({one.domain: one for one in (CORP, SHOP)})


@pytest.mark.requirement(80)
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ada@example.com", CORP),
        (" ADA@Example.COM ", CORP),
        ("ada+shop@example.com", CORP),
        ("ada\uff20example.com", CORP),
        # full-width letters, and the full stop of another script
        ("ada@\uff45xample.com", CORP),
        ("ada@example\u3002com", CORP),
        ("ada@b\u00fccher.example", SHOP),
        ("ada@bu\u0308cher.example", SHOP),
        ("ada@XN--BCHER-KVA.example", SHOP),
        ("ada@mail.example.com", None),
        ("ada@notexample.com", None),
        ("ada@example.com.evil.example", None),
        ("ada@evil.example@example.com", None),
        ("example.com", None),
        ("ada", None),
        ("", None),
        ("a" * 70 + "@example.com", None),
        ("ada@" + "\u0301" * 5000 + "example.com", None),
    ],
)
def test_every_spelling_of_a_domain_is_that_domain(typed: str, found: RoutedDomain | None) -> None:
    assert ROUTES.of(typed) == found
    assert ROUTES.only(typed) == (found if found is CORP else None)


def test_without_domains_nothing_is_routed() -> None:
    assert DomainRoutes().of("ada@example.com") is None
