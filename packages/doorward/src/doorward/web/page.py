"""A page as a response: rendered, with the headers that every page of ours carries."""

from __future__ import annotations

from typing import Final

import structlog

from doorward.web.browser import PageRequest
from doorward.web.http import Response
from doorward.web.pages import csp
from doorward.web.pages.render import render
from doorward.web.pages.views.context import PageContext, View
from doorward.web.pages.views.ends import ErrorPage
from doorward.web.pages.views.flow import FormPost
from doorward.web.pages.views.problems import Form

# `same-origin`, not `no-referrer`: under the latter browsers send `Origin: null` with our own forms, and the Origin check
# of line 70 would refuse everybody. No other site ever sees an address of ours (line 11).
SECURITY_HEADERS: Final = (
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin-allow-popups"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)

log = structlog.get_logger("doorward.pages")


def html(view: View, context: PageContext, status: int = 200) -> Response:
    """The view as HTML, never stored by anybody: a page shows who is signed in and carries a form token.

    Each error page leaves a line in the log under the number that it shows: whoever is asked for help finds it there.
    """
    if isinstance(view, ErrorPage):
        log.info(
            "error page",
            request_id=context.request_id,
            status=status,
            kind=view.kind.value,
            because=view.detail,
        )
    policy = csp.form_post_policy([view.url]) if isinstance(view, FormPost) else csp.CONTENT_SECURITY_POLICY
    response = Response(
        status, [(b"content-type", b"text/html; charset=utf-8")], render(view, context).encode()
    )
    response.add("content-security-policy", policy).add("cache-control", "no-store")
    for name, value in SECURITY_HEADERS:
        response.add(name, value)
    return response


def page(view: View, browser: PageRequest, status: int = 200) -> Response:
    """The view for this browser. The page pipeline puts the cookies on it.

    The answer to a form that is shown again has the status of what was wrong with it, and says to programs, too, how long to wait
    (RFC 6585 §4).
    """
    fault = view.fault if isinstance(view, Form) and browser.request.method == "POST" else None
    if fault is None:
        return html(view, browser.context, status)
    response = html(view, browser.context, fault.status)
    if fault.at is not None:
        response.add("retry-after", str(max(1, fault.at - browser.now)))
    return response
