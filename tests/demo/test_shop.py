"""Demo app as a client: sign-ins begin only here, sign-outs apply everywhere, and cross-site forms have no effect."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest
from pyotp.totp import TOTP

from doorward_demo.demo.drive.page import Page
from tests.demo import running
from tests.waiting import PATIENCE

ALICE, BOB, CAROL, DORA = (f"{name}@example.com" for name in ("alice", "bob", "carol", "dora"))
PASSWORDS = {
    ALICE: "seven green lanterns",
    BOB: "quiet harbour at noon",
    CAROL: "paper boats in april",
    DORA: "nine copper kettles",
}


class Person:
    """One browser without scripts, for app and server."""

    def __init__(self, dev: running.Dev) -> None:
        self.shop = dev.state.places.shop
        self.http = httpx2.Client(trust_env=False, follow_redirects=True, timeout=PATIENCE)
        self.at = httpx2.URL(self.shop)
        self.html = ""
        self.status = 0
        self.steps: list[httpx2.Response] = []

    def go(self, path: str) -> Page:
        return self._read(self.http.get(urljoin(str(self.at), path)))

    def home(self) -> Page:
        return self._read(self.http.get(self.shop))

    def submit(self, action: str, values: dict[str, str]) -> Page:
        form = next(form for form in Page(self.html).forms if form.action.split("?")[0] == action)
        return self._read(self.http.post(urljoin(str(self.at), form.action), data={**form.fields, **values}))

    def sign_in(self, email: str) -> Page:
        self.home()
        self.go("/sign-in")
        self.submit("/sign-in", {"identifier": email, "password": PASSWORDS[email]})
        if self.at.path == "/consent":
            self.submit("/consent", {"decision": "allow"})
        assert "Hello," in self.html, self.html
        return Page(self.html)

    def _read(self, answer: httpx2.Response) -> Page:
        page = Page(answer.text)
        if page.refresh:
            return self._read(self.http.get(urljoin(str(answer.url), page.refresh)))
        self.at, self.html, self.status = answer.url, answer.text, answer.status_code
        self.steps = answer.history
        return page


def orders_of(html: str) -> list[str]:
    return re.findall(r"<tr><td>(\d+)</td>", html)


def test_a_person_signs_in_sees_orders_and_signs_out_everywhere(dev: running.Dev) -> None:
    alice = Person(dev)
    alice.sign_in(ALICE)
    assert len(orders_of(alice.html)) == 3
    assert "Alice Archer" in alice.html
    alice.submit("/sign-out", {})
    assert str(alice.at).startswith(f"{dev.state.places.shop}/signed-out")
    alice.home()
    assert "Hello," not in alice.html
    alice.go("/sign-in")
    assert alice.at.path == "/sign-in"
    assert alice.at.port == dev.state.places.port, "the server asks for the password again"


def test_roles_decide_which_requests_the_api_accepts(dev: running.Dev) -> None:
    alice, bob, carol = Person(dev), Person(dev), Person(dev)
    alice.sign_in(ALICE)
    alice.submit("/orders", {"item": "Door knocker", "quantity": "1"})
    assert alice.status == 403
    assert "insufficient_scope" in alice.html
    bob.sign_in(BOB)
    before = set(orders_of(bob.html))
    bob.submit("/orders", {"item": "<script>alert(1)</script>", "quantity": "2"})
    assert bob.status == 200
    assert len(set(orders_of(bob.html)) - before) == 1
    assert "<script>" not in bob.html
    carol.sign_in(CAROL)
    assert "The API says 403" in carol.html
    assert orders_of(carol.html) == []


def test_an_auditor_sets_up_a_phone_with_the_message_in_the_outbox_and_goes_on_to_the_app(
    dev: running.Dev,
) -> None:
    dora, number = Person(dev), "+491601234567"
    dora.home()
    dora.go("/sign-in")
    dora.submit("/sign-in", {"identifier": DORA, "password": PASSWORDS[DORA]})
    assert dora.at.path == "/sign-in/enrol", dora.html
    dora.go(_link(dora.html, "enrol-sms"))
    dora.submit("/sign-in/enrol/phone", {"number": number})
    outbox = dora.http.get(f"{dev.state.places.issuer}/_dev/outbox").text
    (message,) = [one for one in re.findall(r"<article\b.*?</article>", outbox, re.DOTALL) if number in one]
    dora.submit("/sign-in/enrol/phone/code", {"code": _plain(message, "big-code")})
    assert dora.html.count("<li><code>") == 10, dora.html
    dora.go(_link(dora.html, "to-methods"))
    dora.submit("/consent", {"decision": "allow"})
    assert "Dora Dane" in dora.html
    assert orders_of(dora.html)


def _link(html: str, element_id: str) -> str:
    (tag,) = re.findall(rf'<a [^>]*id="{element_id}"[^>]*>', html)
    (href,) = re.findall(r'href="([^"]*)"', tag)
    return href.replace("&amp;", "&")


def _plain(html: str, css_class: str) -> str:
    (text,) = re.findall(rf'class="{css_class}"[^>]*>(.*?)</', html, re.DOTALL)
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("item", "quantity"), [("", "1"), ("x" * 81, "1"), ("x", "0"), ("x", "²"), ("x", "-1"), ("x", "9999999")]
)
def test_a_bad_order_gets_a_sentence(dev: running.Dev, item: str, quantity: str) -> None:
    bob = Person(dev)
    bob.sign_in(BOB)
    bob.submit("/orders", {"item": item, "quantity": quantity})
    assert bob.status == 422
    assert "The API says 422" in bob.html


def test_a_form_without_the_csrf_token_of_the_session_is_refused(dev: running.Dev) -> None:
    bob = Person(dev)
    bob.sign_in(BOB)
    before = orders_of(bob.html)
    for path, form in (("/orders", {"item": "x", "quantity": "1", "csrf": "guess"}), ("/sign-out", {})):
        bob.http.post(f"{dev.state.places.shop}{path}", data=form)
    bob.home()
    assert "Hello," in bob.html
    assert orders_of(bob.html) == before


def test_an_answer_to_a_sign_in_of_another_browser_is_refused(dev: running.Dev) -> None:
    shop, issuer = dev.state.places.shop, dev.state.places.issuer
    with httpx2.Client(trust_env=False) as stranger:
        assert stranger.get(f"{shop}/callback?code=x&state=y&iss={issuer}").status_code == 400
        begun = stranger.get(f"{shop}/sign-in")
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        assert stranger.get(f"{shop}/callback?code=x&state={state}x&iss={issuer}").status_code == 400
        assert stranger.get(f"{shop}/callback?code=x&state={state}&iss={issuer}").status_code == 400, (
            "a state is good for one answer"
        )
    for query in ("iss=https://evil.example.com", "", f"iss={issuer}&code=unknown"):
        with httpx2.Client(trust_env=False) as person:
            begun = person.get(f"{shop}/sign-in")
            state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
            answer = person.get(f"{shop}/callback?state={state}&{query}")
            assert answer.status_code == 400
            assert "_session" not in answer.headers.get("set-cookie", "")


def test_a_cancelled_sign_in_shows_a_plain_page(dev: running.Dev) -> None:
    running.run(
        dev.folder,
        "user",
        "create",
        "erin@example.com",
        "--password-stdin",
        "--config",
        ".doorward-dev/doorward.toml",
        text="four wooden spoons here\n",
    )
    erin = Person(dev)
    erin.home()
    erin.go("/sign-in")
    erin.submit("/sign-in", {"identifier": "erin@example.com", "password": "four wooden spoons here"})
    erin.submit("/consent", {"decision": "deny"})
    assert str(erin.at).startswith(dev.state.places.shop)
    assert "Nothing was shared" in erin.html
    assert erin.status == 200


@pytest.mark.requirement(38)
def test_the_shop_follows_the_challenge_of_the_api_and_repeats_its_request(dev: running.Dev) -> None:
    gwen, password = "gwen@example.com", "nine woven baskets hang"
    config = ("--config", ".doorward-dev/doorward.toml")
    running.run(dev.folder, "user", "create", gwen, "--password-stdin", *config, text=f"{password}\n")
    PASSWORDS[gwen] = password
    browser, elsewhere, issuer = Person(dev), Person(dev), dev.state.places.issuer
    browser.sign_in(gwen)
    elsewhere.sign_in(gwen)
    # without a second factor she cannot do more: the shop asks once, and says so
    browser.go("/invoices")
    assert browser.status == 403
    assert "your account has none yet" in browser.html
    browser.go(f"{issuer}/account/methods/authenticator")
    key = re.search(r'id="key"[^>]*>([A-Z2-7 ]+)<', browser.html)
    assert key is not None, browser.html
    totp = TOTP(key[1].replace(" ", ""))
    browser.submit("/account/methods/authenticator", {"code": totp.now()})
    # she has just shown it, so that this session has both factors
    browser.go(f"{dev.state.places.shop}/invoices")
    assert (browser.status, browser.at.path) == (200, "/invoices"), browser.html
    assert re.search(r"<td>R-1\d{3}<", browser.html), browser.html
    assert "urn:doorward:aal2" in browser.html
    # another browser, from before, has shown the password alone
    elsewhere.go("/invoices")
    assert (elsewhere.at.port, elsewhere.at.path) == (dev.state.places.port, "/sign-in/code"), elsewhere.html
    elsewhere.submit("/sign-in/code", {"code": totp.at(time.time() + 30)})
    assert (elsewhere.status, elsewhere.at.path) == (200, "/invoices"), elsewhere.html
    assert re.search(r"<td>R-1\d{3}<", elsewhere.html), elsewhere.html
    assert "urn:doorward:aal2" in elsewhere.html
    # for ten minutes both go on without questions
    for one in (browser, elsewhere):
        one.go("/invoices")
        assert (one.status, len(one.steps)) == (200, 0)


@pytest.mark.requirement(72, 76)
def test_disabling_a_person_notifies_the_app_which_ends_its_session(dev: running.Dev) -> None:
    frank, password = "frank@example.com", "five copper kettles sing"
    config = ("--config", ".doorward-dev/doorward.toml")
    running.run(dev.folder, "user", "create", frank, "--password-stdin", *config, text=f"{password}\n")
    PASSWORDS[frank] = password
    browser = Person(dev)
    browser.sign_in(frank)
    log = dev.folder / ".doorward-dev" / "logs" / "app.log"
    before = log.read_text().count("POST '/backchannel-logout' 200")
    assert running.run(dev.folder, "user", "disable", frank, *config).returncode == 0
    until = time.monotonic() + PATIENCE
    while log.read_text().count("POST '/backchannel-logout' 200") == before:
        assert time.monotonic() < until, "the app was never notified"
        time.sleep(0.05)
    browser.home()
    assert "Hello," not in browser.html


def test_bad_logout_tokens_are_refused_and_end_nothing(dev: running.Dev) -> None:
    bob = Person(dev)
    bob.sign_in(BOB)
    for token in ("", "x", "a.b.c", "e30.e30.e30", "é", "x" * 70_000):
        answer = httpx2.post(
            f"{dev.state.places.shop}/backchannel-logout", data={"logout_token": token}, trust_env=False
        )
        assert answer.status_code in {400, 413}
    bob.home()
    assert "Hello," in bob.html


def test_every_page_has_a_content_security_policy_and_is_never_cached(dev: running.Dev) -> None:
    for path in ("/", "/signed-out", "/nothing", "/callback"):
        answer = httpx2.get(f"{dev.state.places.shop}{path}", trust_env=False)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_no_query_and_no_token_reaches_the_logs(dev: running.Dev) -> None:
    alice = Person(dev)
    alice.sign_in(ALICE)
    alice.submit("/sign-out", {})
    for log in (dev.folder / ".doorward-dev" / "logs").iterdir():
        text = log.read_text()
        assert "code=" not in text
        assert not re.search(r"eyJ[\w-]{10}|dw_(rt|ac|cs|as)_", text), log.name


@pytest.mark.requirement(66)
@pytest.mark.parametrize(("path", "scope"), [("/orders", 'scope="orders:read", '), ("/me", "")])
def test_the_api_answers_with_challenges(dev: running.Dev, path: str, scope: str) -> None:
    api = dev.state.places.api
    answer = httpx2.get(f"{api}{path}", trust_env=False)
    assert answer.status_code == 401
    assert (
        answer.headers["www-authenticate"]
        == f'Bearer {scope}resource_metadata="{api}/.well-known/oauth-protected-resource"'
    )
    metadata = httpx2.get(f"{api}/.well-known/oauth-protected-resource", trust_env=False).json()
    assert metadata["resource"] == api
    assert metadata["authorization_servers"] == [dev.state.places.issuer]
    described = httpx2.get(f"{api}/openapi.json", trust_env=False).json()
    assert described["paths"]["/orders"]["post"]["security"] == [{"doorward": ["orders:write"]}]
