"""Page response: a rendered view, with the headers common to all pages."""

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

# `same-origin`, not `no-referrer`: under the latter browsers send `Origin: null` with our own forms, and the Origin check (R70) would
# refuse all of them. Other sites still never get a URL of this server (R11).
SECURITY_HEADERS: Final = (
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin-allow-popups"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
)

log = structlog.get_logger("doorward.pages")


def html(view: View, context: PageContext, status: int = 200) -> Response:
    """The view as HTML, never cached: a page shows who is signed in and carries a form token.

    Each error page is logged with the request id that it shows, so that support can find it.
    """
    if isinstance(view, ErrorPage):
        log.info(
            "page.error",
            request_id=context.request_id,
            status=status,
            kind=view.kind.value,
            reason=view.detail,
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
    """The view for this browser. The page pipeline adds the cookies.

    A form shown again because of a problem has the status of that problem, and a Retry-After header if it applies (RFC 6585 §4).
    """
    fault = view.fault if isinstance(view, Form) and browser.request.method == "POST" else None
    if fault is None:
        return html(view, browser.context, status)
    response = html(view, browser.context, fault.status)
    if fault.at is not None:
        response.add("retry-after", str(max(1, fault.at - browser.now)))
    return response
