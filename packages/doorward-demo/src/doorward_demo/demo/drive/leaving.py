"""Steps of the sign-out, and the tokens after it."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from doorward_demo.demo import clock_and_random
from doorward_demo.demo.decoded import decoded
from doorward_demo.demo.drive.ended import until_refused
from doorward_demo.demo.drive.failed import expect, fail
from doorward_demo.demo.drive.journey import Journey
from doorward_demo.demo.drive.signing_in import authorization_address, code_from, redeem
from doorward_demo.dev.state import DRIVER_SIGNED_OUT


def sign_in_again(journey: Journey) -> str:
    """The session still exists, so no password is needed. Consent is asked again: a public app on a loopback
    address cannot prove which app it is (OAuth 2.1 §7.8)."""
    journey.browser.go(authorization_address(journey))
    journey.browser.submit("consent", {"decision": "allow"})
    journey.code = code_from(journey)
    redeem(journey)
    answer = journey.wire.send("GET", f"{journey.api}/orders", token=journey.has.access)
    expect(answer.status_code == 200, "status 200 with the new token", answer.status_code)
    return "No password was needed; a public app is allowed anew each time"


def sign_out(journey: Journey) -> str:
    """The app sends the browser to the sign-out (RP-Initiated Logout 1.0 §2); the API refuses its token
    within a second."""
    target = f"{journey.state.places.shop}{DRIVER_SIGNED_OUT}"
    state = clock_and_random.token()
    query = {"id_token_hint": journey.has.identity, "post_logout_redirect_uri": target, "state": state}
    began = time.perf_counter()
    journey.browser.go(f"{journey.metadata['end_session_endpoint']}?{urlencode(query)}")
    back = journey.browser.left_for
    if back is None or not back.startswith(target):
        fail(f"a redirect to {target}", journey.browser.described())
    expect(
        dict(parse_qsl(urlsplit(back).query)).get("state") == state, "the state that was sent", "another one"
    )
    journey.ended_at = began
    return "Signed out at the server, and back at the app"


def call_after_sign_out(journey: Journey) -> str:
    """The access token has not expired and is refused."""
    left = decoded(journey.has.access).payload["exp"] - clock_and_random.now()
    expect(left > 0, "an access token that has not expired", f"one that expired {-left:.0f} s ago")
    took = until_refused(journey, journey.has.access, journey.ended_at)
    return f"401 after {took:.0f} ms, with {left:.0f} s of its life left"


def refresh_after_sign_out(journey: Journey) -> str:
    """The refresh token is refused."""
    form = {"grant_type": "refresh_token", "refresh_token": journey.has.refresh}
    status, said = journey.token_request(form)
    expect(
        status == 400 and said.get("error") == "invalid_grant",
        "400 invalid_grant",
        f"{status} {said.get('error')}",
    )
    return "The refresh token is worth nothing any more"
