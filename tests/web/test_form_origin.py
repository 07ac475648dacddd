"""Tests of a form's origin, from headers that browsers send and pages cannot set."""

from __future__ import annotations

import pytest

from doorward.web.form_origin import Sent, sent_from

OWN = "https://auth.example.com"


@pytest.mark.requirement(70)
@pytest.mark.parametrize(
    ("origin", "site", "sent"),
    [
        (OWN, "same-origin", Sent.OURS),
        (OWN, None, Sent.OURS),
        (None, None, Sent.OURS),
        (None, "none", Sent.OURS),
        (None, "same-origin", Sent.OURS),
        # a proxy that adds Referrer-Policy: no-referrer
        ("null", "same-origin", Sent.OURS),
        # a sandboxed frame on another site, and one on a sibling site
        ("null", "cross-site", Sent.FOREIGN),
        ("null", "same-site", Sent.FOREIGN),
        # an old browser sends nothing more, so the form is not trusted; nor are values that no person's navigation produces
        ("null", None, Sent.FOREIGN),
        ("null", "none", Sent.FOREIGN),
        ("null", "", Sent.FOREIGN),
        # our own page under another host name
        ("http://localhost:8000", "same-origin", Sent.ELSEWHERE),
        ("https://evil.example", "cross-site", Sent.FOREIGN),
        ("https://evil.example", None, Sent.FOREIGN),
        ("https://evil.example", "none", Sent.FOREIGN),
        ("https://app.example.com", "same-site", Sent.FOREIGN),
        (OWN, "cross-site", Sent.FOREIGN),
        (OWN, "same-site", Sent.FOREIGN),
        (None, "cross-site", Sent.FOREIGN),
        (None, "same-site", Sent.FOREIGN),
        ("", "same-origin", Sent.ELSEWHERE),
        ("", None, Sent.FOREIGN),
    ],
)
def test_the_browsers_headers_decide_the_origin(origin: str | None, site: str | None, sent: Sent) -> None:
    assert sent_from(origin, site, OWN) is sent
