"""Codes by text message as a second step of the sign-in.

NIST SP 800-63B-4 §3.1.3 restricts them, and still counts them as something that the person holds: AAL2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from doorward.features.authn.factors.sms.messages import NAME
from doorward.features.authn.factors.sms.reports import DeliveryReports
from doorward.features.authn.factors.sms.rules.phone import KIND
from doorward.features.authn.flow.held import HeldFactor, NoticeName
from doorward.features.authn.flow.pages import FlowPages
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.sent_code import SentCodeTyped
from doorward.features.sessions.browser_context import BrowserPages
from doorward.web.route import Route


@final
class TextedCodes(SentCodeTyped, frozen=True, kw_only=True):
    """Six-digit codes from a text message."""

    kind: ClassVar[str] = KIND


@final
class SmsFactor(FactorPlug, frozen=True, kw_only=True):
    """The factor, with the endpoint for the gateway's reports, if there is a gateway."""

    reports: DeliveryReports | None

    def named(self, one: HeldFactor) -> NoticeName:
        """By the end of its number."""
        return NoticeName(NAME, {"digits": (one.to or "")[-2:]})

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """The pages of its codes are those of all codes that are sent."""
        del pages, flow
        return [] if self.reports is None else self.reports.routes()
