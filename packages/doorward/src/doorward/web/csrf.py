"""CSRF check of forms: the token of this browser's cookie, and the origin that the browser names (ASVS 3.5.1, R70)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, final

import structlog

from doorward.core.ports.keys import Sealer
from doorward.web.form_origin import Sent, sent_from
from doorward.web.http import Request

_TOKEN_PURPOSE: Final = "csrf"
_COMPARE_PURPOSE: Final = "csrf-compare"
Fault = Literal["origin", "token"]
log = structlog.get_logger("doorward.forms")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FormGuard:
    """Whether a form was sent by a page of ours in this browser. `origin` is ours as browsers write it."""

    sealer: Sealer
    origin: str

    def token(self, browser: str) -> str:
        """The token that goes into the forms of the browser with this cookie."""
        return self.sealer.tag(_TOKEN_PURPOSE, browser)

    def sent(self, request: Request) -> Sent:
        """Where the browser says that the request comes from."""
        return sent_from(request.header(b"origin"), request.header(b"sec-fetch-site"), self.origin)

    def fault(self, request: Request, form: dict[str, str], browser: str | None) -> Fault | None:
        """What is wrong with the form; None: it may act. `browser` is the cookie that came with it."""
        if self.sent(request) is not Sent.OURS:
            return "origin"
        return None if browser is not None and self._carries(form, browser) else "token"

    def note(self, fault: Fault, request: Request) -> None:
        """Write down why a form was not used."""
        if fault == "token":
            log.info("form refused", because="token", path=request.path, request_id=request.request_id)
            return
        origin = request.header(b"origin")
        log.warning(
            "form refused",
            because="origin",
            path=request.path,
            expected=self.origin,
            received=None if origin is None else origin[:200],
            fetch_site=(request.header(b"sec-fetch-site") or "")[:40] or None,
            request_id=request.request_id,
            # only a browser without Sec-Fetch-Site leaves this to be guessed
            fix="a proxy adds Referrer-Policy: no-referrer; let our header through"
            if origin == "null"
            else None,
        )

    def _carries(self, form: dict[str, str], browser: str) -> bool:
        """Tags are compared by their own keyed hash: equal time whatever the guess is."""
        expected = self.sealer.tag(_COMPARE_PURPOSE, self.token(browser))
        return self.sealer.tag(_COMPARE_PURPOSE, form.get("csrf", "")) == expected
