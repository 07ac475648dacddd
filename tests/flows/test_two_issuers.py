"""Tests of two issuers on one host, which browsers cannot tell apart by port or path: neither affects the other's sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.running import Running, running
from tests.flows.seeds import PASSWORD, seed

ADA = "ada@example.com"


@pytest.mark.requirement(69)
@pytest.mark.parametrize("prefixes", [("", ""), ("/one", "/two")])
def test_a_browser_is_signed_in_at_both_and_can_sign_out_of_one_alone(
    prefixes: tuple[str, str], tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with running(folders[0], prefix=prefixes[0]) as one, running(folders[1], prefix=prefixes[1]) as two:
        houses = [seed(one), seed(two)]
        here, there = one.person(), two.person()
        # one browser: a cookie of either is sent to both
        there.cookies = here.cookies
        for server, person in ((one, here), (two, there)):
            assert inside(person.sign_in(person.open(at(server, "/sign-in")), ADA, PASSWORD).path)
        assert inside(here.open(at(one, "/account")).path), "signed out by the other's sign-in"
        here.press(here.open(at(one, "/logout")), "sign-out")
        assert not inside(here.open(at(one, "/account")).path)
        assert inside(there.open(at(two, "/account")).path), "signed out by the other's sign-out"
        for made in houses:
            made.close()


def at(server: Running, path: str) -> str:
    return server.issuer + path


def inside(path: str) -> bool:
    """Whether the account page was shown."""
    return path.endswith("/account")
