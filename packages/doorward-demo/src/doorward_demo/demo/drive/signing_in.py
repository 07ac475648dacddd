"""Steps 1 to 5: from an address without an account to tokens."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from doorward_demo.demo import clock_and_random, id_token, pkce
from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.drive.failed import expect, fail
from doorward_demo.demo.drive.journey import Asked, Journey, Tokens
from doorward_demo.demo.drive.page import Article, Page
from doorward_demo.demo.drive.wire import document
from doorward_demo.dev.state import DRIVER_CALLBACK
from doorward_verify.auth_error import AuthError

SCOPES = "openid profile email orders:read"


def discover(journey: Journey) -> str:
    """Fetch the server's metadata (OpenID Connect Discovery §4)."""
    answer = journey.wire.send("GET", f"{journey.issuer}/.well-known/openid-configuration")
    expect(answer.status_code == 200, "status 200", answer.status_code)
    found = document(answer)
    expect(found.get("issuer") == journey.issuer, f"the issuer {journey.issuer}", found.get("issuer"))
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
        expect(str(found.get(name, "")).startswith(journey.issuer), f"{name} at the issuer", found.get(name))
    journey.metadata = found
    return f"The issuer is {journey.issuer}"


def sign_up(journey: Journey) -> str:
    """Sign up with a new address; the answer is the same when it has an account."""
    person = journey.person
    journey.browser.go(f"{journey.issuer}/sign-up")
    form = {"email": person.email, "password": person.password, "name": person.name}
    journey.browser.submit("sign-up", form)
    journey.browser.arrived_at("check")
    return f"{person.email} asks for an account"


def verify(journey: Journey) -> str:
    """Enter the code from the mail, read on the outbox page."""
    article = newest_mail(journey)
    journey.browser.submit("check", {"code": article.code})
    at = urlsplit(journey.browser.at).path
    expect(at.startswith("/account"), "the account page", journey.browser.described())
    return f"«{article.heading.strip()}» brought a code of {len(article.code.replace(' ', ''))} digits"


def newest_mail(journey: Journey) -> Article:
    """The newest message to the person with a code."""
    mail = Page(journey.wire.send("GET", f"{journey.issuer}/_dev/outbox").text)
    found = [one for one in mail.articles if journey.person.email in one.text and one.code]
    if not found:
        fail(f"a message to {journey.person.email} with a code", f"{len(mail.articles)} other messages")
    return found[0]


def sign_in(journey: Journey) -> str:
    """Send an app's authorization request in another browser, and sign in."""
    browser = journey.new_browser()
    browser.go(authorization_address(journey))
    browser.submit("sign-in", {"identifier": journey.person.email, "password": journey.person.password})
    browser.arrived_at("consent")
    return f"{journey.person.email} is signed in, and asked whether the app may"


def consent(journey: Journey) -> str:
    """Allow; the code comes back with state and iss, which are both checked (RFC 9207)."""
    journey.browser.submit("consent", {"decision": "allow"})
    journey.code = code_from(journey)
    return "A code came back; state and iss are right"


def code_exchange(journey: Journey) -> str:
    """Exchange code and PKCE verifier for tokens; the ID token is checked as an app must."""
    redeem(journey)
    return f"An access token for {journey.has.expires_in} s, a refresh token, an ID token; signature, nonce and at_hash are right"


def authorization_address(journey: Journey, **more: str) -> str:
    """Create a new authorization request (OAuth 2.1 §4.1.1), whose values are kept to check its answer."""
    token = clock_and_random.token
    redirect_uri = f"{journey.state.places.shop}{DRIVER_CALLBACK}"
    journey.asked = asked = Asked(token(), token(), token(), redirect_uri)
    query = {
        "response_type": "code",
        "client_id": journey.state.apps.driver.client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "resource": journey.api,
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": pkce.challenge(asked.verifier),
        "code_challenge_method": "S256",
        **more,
    }
    return f"{journey.metadata['authorization_endpoint']}?{urlencode(query)}"


def code_from(journey: Journey) -> str:
    """The code in the redirect to the app, if it matches the request."""
    back, asked = journey.browser.left_for, journey.asked
    assert asked is not None
    if back is None or not back.startswith(f"{asked.redirect_uri}?"):
        fail(f"a redirect to {asked.redirect_uri}", journey.browser.described())
    answer = dict(parse_qsl(urlsplit(back).query))
    expect("error" not in answer, "a code", answer.get("error"))
    expect(answer.get("state") == asked.state, "the state that was sent", "another one")
    expect(answer.get("iss") == journey.issuer, f"iss={journey.issuer}", answer.get("iss"))
    expect(bool(answer.get("code")), "a code", "none")
    return answer["code"]


def redeem(journey: Journey) -> None:
    """Exchange the current code for tokens, and check them."""
    asked = journey.asked
    assert asked is not None
    form = {
        "grant_type": "authorization_code",
        "code": journey.code,
        "redirect_uri": asked.redirect_uri,
        "code_verifier": asked.verifier,
    }
    status, said = journey.token_request(form)
    expect(status == 200, "status 200", f"{status} {said.get('error', '')}")
    journey.tokens = tokens_of(said)
    try:
        id_token.verify(
            journey.has.identity,
            journey.keys(),
            issuer=journey.issuer,
            client_id=journey.state.apps.driver.client_id,
            nonce=asked.nonce,
            access_token=journey.has.access,
            now=clock_and_random.now(),
        )
    except AuthError as refused:
        fail("an ID token that answers this sign-in", refused.detail)
    token = decoded(journey.has.access)
    expect(token.header.get("typ") == "at+jwt", "an access token of type at+jwt", token.header.get("typ"))
    expect(token.payload.get("aud") == journey.api, f"aud {journey.api}", token.payload.get("aud"))
    journey.show_token("access token", token)
    journey.show_token("ID token", decoded(journey.has.identity))


def tokens_of(said: dict[str, object]) -> Tokens:
    """The required members of a token response."""
    access, refresh, identity = said.get("access_token"), said.get("refresh_token"), said.get("id_token")
    life = said.get("expires_in")
    if not (isinstance(access, str) and isinstance(refresh, str) and isinstance(identity, str)):
        fail("an access token, a refresh token and an ID token", ", ".join(sorted(said)))
    if not isinstance(life, int):
        fail("expires_in", life)
    return Tokens(access, refresh, identity, life)
