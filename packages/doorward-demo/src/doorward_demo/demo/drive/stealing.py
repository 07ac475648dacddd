"""Steps of a theft: a copied refresh token is replayed, everything it could reach ends, and its owner is told."""

from __future__ import annotations

import time

from doorward_demo.demo.drive.ended import until_refused
from doorward_demo.demo.drive.failed import expect, fail
from doorward_demo.demo.drive.journey import Journey
from doorward_demo.demo.drive.leaving import sign_in_again
from doorward_demo.demo.drive.page import Page
from doorward_demo.demo.drive.refreshing import refresh
from doorward_demo.demo.drive.wire import shortened


def steal(journey: Journey) -> str:
    """The app works in the person's other browser. A thief copies its refresh token, and the app goes on refreshing."""
    journey.browser, journey.elsewhere = journey.elsewhere, journey.browser
    sign_in_again(journey)
    journey.stolen_refresh = journey.has.refresh
    for _ in range(2):
        status, said = refresh(journey, journey.has.refresh)
        expect(status == 200, "status 200 for the app", f"{status} {said.get('error', '')}")
    answer = journey.wire.send("GET", f"{journey.api}/orders", token=journey.has.access)
    expect(answer.status_code == 200, "status 200 for the app's call", answer.status_code)
    return "The thief has a copy of a token that the app has used since; nobody knows yet"


def replay(journey: Journey) -> str:
    """After the leeway the thief sends the copy: it is refused, and its whole family ends (OAuth 2.1 §4.3.1)."""
    time.sleep(journey.state.refresh_leeway + 1.1)
    owners = journey.has
    began = time.perf_counter()
    status, said = refresh(journey, journey.stolen_refresh)
    expect(status == 400, "status 400 for the replayed token", status)
    expect(said.get("error") == "invalid_grant", "invalid_grant", said.get("error"))
    took = until_refused(journey, owners.access, began)
    status, said = refresh(journey, owners.refresh)
    expect(status == 400, "status 400 for the newest token of the family too", status)
    return (
        f"The thief gets nothing. {took:.0f} ms later the API refuses the access token of that sign-in too, "
        f"and nobody can refresh it (the leeway of {journey.state.refresh_leeway} s is 60 s by default)"
    )


def tell_owner(journey: Journey) -> str:
    """The mail was written in the same commit as the end."""
    page = Page(journey.wire.send("GET", f"{journey.issuer}/_dev/outbox").text)
    # the newest is first
    mail = next((one for one in page.articles if journey.person.email in one.text), None)
    if mail is None or mail.code:
        fail(f"a mail to {journey.person.email} about it", "another one" if mail else "none")
    # the first line is that of the outbox: to whom, and when
    lines = [shortened(line.strip()) for line in mail.text.splitlines() if line.strip()]
    journey.show_mail(mail.heading.strip(), lines)
    return f"{journey.person.name} reads what happened, and what to do"
