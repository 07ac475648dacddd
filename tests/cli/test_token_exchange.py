"""Tests of `doorward app exchange`: what an app may exchange is said, seen, changed and taken back."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
BILLING = "https://billing.example.com"
PARTNER = "https://auth.partner.example"


@pytest.fixture
def registered(run: Run) -> Run:
    """An API, and the app of another one."""
    assert run("api", "create", BILLING, "--name", "billing", "--permission", "orders:read").status == 0
    assert run("app", "create", "orders", "--kind", "service", "--api", "billing").status == 0
    return run


def test_what_an_app_may_exchange_is_said_seen_and_taken_back(registered: Run) -> None:
    run = registered
    before = run("app", "exchange", "orders", "--json").document
    assert (before["exchange"], before["may_act"], before["grant_types"]) == (
        None,
        None,
        ["client_credentials"],
    )
    said = run("app", "exchange", "orders", "--api", "billing")
    assert (said.status, BILLING in said.out, "itself" in said.out) == (0, True, True)
    now = run("app", "exchange", "orders", "--json").document
    assert now["exchange"]["apis"] == [BILLING]
    assert now["grant_types"] == ["client_credentials", GRANT]
    again = run("app", "exchange", "orders", "--api", BILLING)
    assert (again.status, "Nothing would change" in again.err) == (1, True)
    hidden = run("app", "exchange", "orders", "--impersonate")
    assert "nobody" in hidden.out
    servers = ("--id-jag", f"{PARTNER}=theirs", "--id-jag-scope", "read", "--id-jag-scope", "write")
    both = run("app", "exchange", "orders", *servers, "--json").document["exchange"]
    assert both["id_jag"] == {PARTNER: {"client_id": "theirs", "scopes": ["read", "write"]}}
    assert (both["impersonate"], both["apis"], both["since"]) == (True, [BILLING], now["exchange"]["since"])
    fewer = run("app", "exchange", "orders", "--no-api", "billing", "--no-id-jag", PARTNER, "--json").document
    assert (fewer["exchange"]["apis"], fewer["exchange"]["id_jag"]) == ([], {})
    assert fewer["grant_types"] == ["client_credentials"]
    run("app", "exchange", "orders", "--api", "billing")
    none = run("app", "exchange", "orders", "--none", "--json").document
    # what it has exchanged lives for some minutes, so that the policy stays known to what ends it
    assert none["exchange"] == {"apis": [], "impersonate": False, "id_jag": {}, "since": both["since"]}
    # who alone may act is an app
    made = run("app", "create", "web", "--redirect", "https://web.example.com/cb", "--json").document
    orders = run("app", "show", "orders", "--json").document
    bound = run("app", "exchange", "web", "--may-act", "orders", "--json").document
    assert (made["may_act"], bound["may_act"], bound["exchange"]) == (None, orders["id"], None)
    assert run("app", "exchange", "web", "--may-act", "nobody").status == 1
    assert run("app", "exchange", "web", "--may-act", "", "--json").document["may_act"] is None


def test_mistakes_are_named(registered: Run) -> None:
    run = registered
    for options, status, said in (
        (("--none", "--api", "billing"), 2, "contradict"),
        (("--id-jag-scope", "read"), 2, "belongs to --id-jag"),
        (("--id-jag", "nonsense"), 2, "--id-jag is 'nonsense'"),
        (("--id-jag", "https://a.example="), 2, "the app's client_id there"),
        (("--id-jag", "ftp://a.example=x"), 1, "use an https address"),
        (("--api", "biling"), 1, "There is no API biling"),
    ):
        seen = run("app", "exchange", "orders", *options)
        assert (seen.status, said in seen.err) == (status, True), seen

    # a public app may exchange its own refresh token, and acts for nobody else
    assert (
        run("app", "create", "spa", "--kind", "spa", "--redirect", "https://spa.example.com/cb").status == 0
    )
    assert run("app", "exchange", "spa", "--api", "billing").status == 0
    for options in (("--impersonate",), ("--id-jag", f"{PARTNER}=theirs")):
        seen = run("app", "exchange", "spa", *options)
        assert (seen.status, "public app" in seen.err) == (1, True)
