"""Tests of a node of the released commit and a node of today's code on one PostgreSQL: a flow begins on one and ends on the
other."""

from __future__ import annotations

import time
from collections.abc import Generator
from itertools import count

import pytest
from pyotp.totp import TOTP

from tests.engines import POSTGRES
from tests.flows.apps import Tokens, good, pkce, refused
from tests.flows.processes import Process
from tests.flows.seeds import PASSWORD
from tests.flows.signing_in import challenge, tokens_by_challenge
from tests.found import found
from tests.released.nodes import Nodes, Wanderer, both_nodes
from tests.released.tree import extract, history
from tests.waiting import until

ENGINES = POSTGRES
AAL1, AAL2 = "urn:doorward:aal1", "urn:doorward:aal2"
SCOPE = "openid orders:read offline_access"
NEW = "walrus canyon velvet twelve"
_numbers = count(1)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Nodes]:
    found(history())
    assert database is not None
    tree = extract(tmp_path_factory.mktemp("tree"))
    with both_nodes(tmp_path_factory.mktemp("nodes"), tree, database) as both:
        yield both


@pytest.fixture(params=["then-now", "now-then"])
def pair(request: pytest.FixtureRequest, nodes: Nodes) -> tuple[Process, Process]:
    """The node where a flow begins, and the one where it ends."""
    return nodes.pair(request.param)


def newcomer(nodes: Nodes, first: Process, second: Process) -> tuple[str, Wanderer, Tokens]:
    """A person who begins to sign up on one node and finishes on the other."""
    email = f"new-{next(_numbers)}@example.com"
    own, person = nodes.app("own", second), nodes.person(first)
    attempt = own.begin(SCOPE, prompt="create")
    page = person.open(attempt.url)
    if "sign-up" not in page.forms:
        page = person.click(page, "to-sign-up")
    page = person.press(page, "sign-up", email=email, password=PASSWORD, name="")
    person.node = second
    page = person.press(page, "check", code=person.mailed_code(email))
    return email, person, own.redeem(attempt, page)


def signed_in(nodes: Nodes, node: Process, email: str) -> Wanderer:
    """Another browser of a person, who signs in there with the password."""
    person = nodes.person(node)
    assert person.sign_in(person.open("/sign-in"), email, PASSWORD).path == "/account"
    return person


def set_up(person: Wanderer, first: Process, second: Process) -> TOTP:
    """An authenticator app whose key one node shows and whose first code the other accepts."""
    person.node = first
    page = person.click(person.open("/account/methods"), "authenticator-add")
    phone = TOTP(page.inside("key").replace(" ", ""))
    person.node = second
    # a code of the previous period, so that an unused one is left; repeated if the period had passed at the server's check
    for _ in range(2):
        if "authenticator" in page.forms:
            page = person.press(page, "authenticator", code=phone.at(int(time.time()) - 30))
    assert page.problem is None, page.problem
    return phone


def test_a_sign_in_begins_on_one_node_and_ends_on_the_other(
    nodes: Nodes, pair: tuple[Process, Process]
) -> None:
    first, second = pair
    person, attempt = nodes.person(first), nodes.app("own", first).begin(SCOPE)
    page = person.open(attempt.url)
    person.node = second
    tokens = nodes.app("own", first).redeem(attempt, person.sign_in(page, "ada@example.com", PASSWORD))
    assert (tokens.claims["acr"], tokens.claims["amr"]) == (AAL1, ["pwd"])
    person.node = first
    attempt = nodes.app("own", first).begin("openid", prompt="none")
    again = nodes.app("own", second).redeem(attempt, person.open(attempt.url))
    for claim in ("acr", "amr", "auth_time"):
        assert again.identity[claim] == tokens.identity[claim], claim


def test_a_sign_up_and_an_authenticator_app_cross_nodes_and_nothing_skips_the_second_factor(
    nodes: Nodes, pair: tuple[Process, Process]
) -> None:
    first, second = pair
    email, person, tokens = newcomer(nodes, first, second)
    assert tokens.claims["acr"] == AAL1
    phone = set_up(person, first, second)
    other, attempt = nodes.person(first), nodes.app("own", second).begin(SCOPE)
    page = other.sign_in(other.open(attempt.url), email, PASSWORD)
    assert page.path == "/sign-in/code"
    other.node = second
    assert other.open("/account").path == "/sign-in", "half a sign-in gives no access on the other node"
    wrong = other.press(page, "second-factor", code="000000")
    assert (wrong.status, wrong.path) == (400, "/sign-in/code")
    tokens = nodes.app("own", first).redeem(attempt, other.press(page, "second-factor", code=phone.now()))
    assert tokens.claims["acr"] == AAL2
    assert sorted(tokens.claims["amr"]) == ["mfa", "otp", "pwd"]


def test_a_step_up_crosses_nodes(nodes: Nodes, pair: tuple[Process, Process]) -> None:
    first, second = pair
    email, person, before = newcomer(nodes, second, first)
    owner = signed_in(nodes, second, email)
    phone = set_up(owner, second, first)
    for node in (first, second):
        person.node = node
        attempt = nodes.app("own", node).begin("openid orders:read", acr_values=AAL2)
        page = person.open(attempt.url)
        assert page.path == "/sign-in/code", "the session of one factor is not enough on either node"
        # that in which the factor was set up has both, if today's node accepted the first code (decision 0093)
        owner.node = node
        own = nodes.app("own", node)
        theirs = own.begin("openid orders:read", acr_values=AAL2)
        page = owner.open(theirs.url)
        if first is nodes.now:
            assert own.redeem(theirs, page).claims["acr"] == AAL2
        else:
            assert page.path == "/sign-in/code"
    person.node = first
    page = person.open(attempt.url)
    person.node = second
    tokens = nodes.app("own", first).redeem(attempt, person.press(page, "second-factor", code=phone.now()))
    assert tokens.claims["acr"] == AAL2
    # the earlier family has not gained a second factor
    for node in (first, second):
        before = good(nodes.app("own", node).refresh(before.refresh))
        assert (before.claims["acr"], before.claims["amr"]) == (AAL1, ["pwd"])


def test_consent_is_asked_on_one_node_and_given_on_the_other(
    nodes: Nodes, pair: tuple[Process, Process]
) -> None:
    first, second = pair
    email, _, _ = newcomer(nodes, first, second)
    person, attempt = nodes.person(first), nodes.app("web", first).begin("openid profile orders:read")
    page = person.sign_in(person.open(attempt.url), email, PASSWORD)
    assert page.path == "/consent"
    person.node = second
    nodes.app("web", first).redeem(attempt, person.press(page, "consent", "allow"))
    person.node = first
    attempt = nodes.app("web", first).begin("openid profile orders:read")
    nodes.app("web", second).redeem(attempt, person.open(attempt.url))


def test_a_reset_crosses_nodes_and_ends_earlier_sessions(nodes: Nodes, pair: tuple[Process, Process]) -> None:
    first, second = pair
    email, _, before = newcomer(nodes, first, second)
    person = nodes.person(first)
    page = person.press(person.open("/reset"), "reset", email=email)
    person.node = second
    page = person.press(page, "check", code=person.mailed_code(email))
    person.node = first
    page = person.press(page, "new-password", password=NEW)
    person.node = second
    assert person.sign_in(page, email, NEW).path == "/account"
    for node in pair:
        refused(nodes.app("own", node).refresh(before.refresh))


def test_a_json_sign_in_crosses_nodes(nodes: Nodes, pair: tuple[Process, Process]) -> None:
    first, second = pair
    email, person, _ = newcomer(nodes, first, second)
    phone = set_up(person, first, second)
    verifier, hashed = pkce()
    begun = {"scope": SCOPE, "code_challenge": hashed, "code_challenge_method": "S256"}
    answer = challenge(nodes.app("own", first), **begun)
    session = answer.json()["auth_session"]
    proof = {"username": email, "password": PASSWORD}
    answer = challenge(nodes.app("own", second), auth_session=session, **proof)
    assert (answer.status_code, answer.json()["next"]) == (403, "second_factor"), answer.text
    session = answer.json()["auth_session"]
    answer = challenge(nodes.app("own", first), auth_session=session, code=phone.now())
    assert answer.status_code == 200, answer.text
    code = answer.json()["authorization_code"]
    own = nodes.app("own", second)
    tokens = good(own.token(grant_type="authorization_code", code=code, code_verifier=verifier))
    assert tokens.claims["acr"] == AAL2


@pytest.mark.parametrize("name", ["own", "spa"])
def test_a_family_is_refreshed_on_both_nodes_in_turn(
    nodes: Nodes, pair: tuple[Process, Process], name: str
) -> None:
    first, second = (nodes.app(name, node) for node in pair)
    tokens = begun = tokens_by_challenge(first, "bob@example.com", SCOPE)
    for app, other in ((second, first), (first, second), (second, first)):
        spent = tokens.refresh
        tokens = good(app.refresh(spent))
        assert good(other.refresh(spent)).refresh == tokens.refresh, "a lost response is repeated"
        for claim in ("acr", "amr", "auth_time", "sub"):
            assert tokens.claims[claim] == begun.claims[claim], claim
    assert second.post("/revoke", token=tokens.refresh).status_code == 200
    refused(first.refresh(tokens.refresh))


def test_signing_out_on_one_node_signs_out_on_the_other(nodes: Nodes, pair: tuple[Process, Process]) -> None:
    first, second = pair
    _, person, _ = newcomer(nodes, first, second)
    own = nodes.app("own", second)
    # without offline_access: the app's tokens end with the session
    attempt = own.begin("openid orders:read")
    tokens = own.redeem(attempt, person.open(attempt.url))
    assert own.userinfo(tokens.access).status_code == 200
    cookies = dict(person.cookies)
    page = person.open("/logout")
    person.node = first
    assert person.press(page, "sign-out").path == "/signed-out"
    kept = nodes.person(second)
    kept.cookies = cookies
    assert kept.open("/account").path == "/sign-in"
    until(lambda: own.userinfo(tokens.access).status_code == 401)
    for node in pair:
        refused(nodes.app("own", node).refresh(tokens.refresh))


def test_the_proofs_of_a_session_are_the_same_on_both_nodes_whichever_wrote_last(
    nodes: Nodes, pair: tuple[Process, Process]
) -> None:
    """Today's node stores proofs beside `amr` and `auth_time`; the released one changes these and leaves the proofs unchanged."""
    first, second = pair

    def silent(person: Wanderer, node: Process) -> Tokens:
        person.node = node
        attempt = nodes.app("own", node).begin("openid orders:read", prompt="none")
        return nodes.app("own", node).redeem(attempt, person.open(attempt.url))

    def same(person: Wanderer, acr: str, amr: list[str], after: int) -> int:
        here, there = silent(person, first).claims, silent(person, second).claims
        for claim in ("acr", "amr", "auth_time", "sid"):
            assert here[claim] == there[claim], claim
        assert (here["acr"], sorted(here["amr"])) == (acr, amr)
        assert here["auth_time"] >= after
        return here["auth_time"]

    email, person, tokens = newcomer(nodes, first, second)
    at = same(person, AAL1, ["pwd"], tokens.claims["auth_time"])
    for node in (first, second, first):
        # the password again, in the same session
        time.sleep(max(0.0, at + 1.1 - time.time()))
        person.node = node
        page = person.press(person.open("/account/confirm"), "confirm", password=PASSWORD)
        assert page.path == "/account"
        at = same(person, AAL1, ["pwd"], at + 1)
    # the app is set up in another browser, so that this session steps up
    owner = signed_in(nodes, first, email)
    phone = set_up(owner, first, second)
    if second is nodes.now:
        # it accepted the first code, which counts in the session of that browser (decision 0093)
        same(owner, AAL2, ["mfa", "otp", "pwd"], at)
    person.node = second
    attempt = nodes.app("own", second).begin("openid orders:read")
    page = person.press(person.open(attempt.url), "second-factor", code=phone.now())
    nodes.app("own", second).redeem(attempt, page)
    same(person, AAL2, ["mfa", "otp", "pwd"], at)
    # without the app there is one factor left, on either node
    person.node = first
    page = person.press(person.open("/account/methods"), "authenticator-remove")
    page = person.press(page, "re-auth" if "re-auth" in page.forms else "confirm", password=PASSWORD)
    assert page.path == "/account/methods"
    for node in (second, first):
        assert (silent(person, node).claims["acr"], silent(person, node).claims["amr"]) == (AAL1, ["pwd"])
