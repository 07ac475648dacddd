"""CSRF check of forms: the token of this browser's cookie, and the origin that the browser sends (ASVS 3.5.1, R70)."""

from __future__ import annotations

from typing import Final, Literal, final

import structlog
from msgspec import Struct

from doorward.core.ports.keys import Sealer
from doorward.web.form_origin import Sent, sent_from
from doorward.web.http import Request

_TOKEN_PURPOSE: Final = "csrf"
_COMPARE_PURPOSE: Final = "csrf-compare"
Fault = Literal["origin", "token"]
log = structlog.get_logger("doorward.forms")


@final
class FormGuard(Struct, frozen=True, kw_only=True):
    """Checks that a form was sent by a page of this server in this browser. `origin` is the server's, as browsers send it."""

    sealer: Sealer
    origin: str

    def token(self, browser: str) -> str:
        """The form token for the browser with this cookie."""
        return self.sealer.tag(_TOKEN_PURPOSE, browser)

    def sent(self, request: Request) -> Sent:
        """The origin of the request according to the browser."""
        return sent_from(request.header(b"origin"), request.header(b"sec-fetch-site"), self.origin)

    def fault(self, request: Request, form: dict[str, str], browser: str | None) -> Fault | None:
        """What is wrong with the form; None: it may take effect. `browser` is the cookie of the request."""
        if self.sent(request) is not Sent.OURS:
            return "origin"
        return None if browser is not None and self._carries(form, browser) else "token"

    def note(self, fault: Fault, request: Request) -> None:
        """Log why a form was refused."""
        if fault == "token":
            log.info("form.refused", reason="token", path=request.path, request_id=request.request_id)
            return
        origin = request.header(b"origin")
        log.warning(
            "form.refused",
            reason="origin",
            path=request.path,
            expected=self.origin,
            received=None if origin is None else origin[:200],
            fetch_site=(request.header(b"sec-fetch-site") or "")[:40] or None,
            request_id=request.request_id,
            # only for a browser without Sec-Fetch-Site this is a guess
            fix="a proxy adds Referrer-Policy: no-referrer; let our header through"
            if origin == "null"
            else None,
        )

    def _carries(self, form: dict[str, str], browser: str) -> bool:
        """Tags are compared by their own keyed hash, so that timing does not depend on the guess."""
        expected = self.sealer.tag(_COMPARE_PURPOSE, self.token(browser))
        return self.sealer.tag(_COMPARE_PURPOSE, form.get("csrf", "")) == expected
