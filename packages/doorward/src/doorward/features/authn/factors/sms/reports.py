"""Delivery reports of the gateway: a message that did not arrive is recorded for its owner and for the operator."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.model.audit import AuditEvent
from doorward.core.model.text_message import OutgoingSms
from doorward.core.ports.clock import Clock
from doorward.core.ports.message_channel import MessageChannel, Unsigned
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.salt import new_salt
from doorward.storage.sql.store import Store, Write
from doorward.web.http import Request, Response, json_response
from doorward.web.route import Operation, Route, machine

REPORTS: Final = "/sms/report/"
"""The path of delivery reports; the channel's name follows."""


@final
class DeliveryReports(Struct, frozen=True, kw_only=True):
    """What becomes of messages that the gateway has accepted."""

    store: Store
    channel: MessageChannel
    random: SecureRandom
    clock: Clock
    metrics: Metrics

    async def receive(self, request: Request) -> Response:
        """The gateway's report of what became of a message, signed as `sms.channel` says. 204, also for a message that is not
        known any more, and for a repeated report."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.raw_headers}
        report = self.channel.report(headers, await request.body(), self.clock.now())
        if isinstance(report, Unsigned):
            return json_response(
                {"error": "access_denied", "error_description": "The gateway has not signed this."}, 403
            )
        message = None if report is None else await self.store.outgoing_sms.by_gateway(report.gateway_id)
        if report is not None and message is not None and message.failed_at is None:
            await self._note(message, report.problem)
        return Response(204, [(b"cache-control", b"no-store")])

    async def _note(self, message: OutgoingSms, problem: str | None) -> None:
        if problem is None:
            self.metrics.inc("sms", f"{message.country}_delivered")
            return
        now = self.clock.now()
        noted = await self.store.commit(
            self.store.outgoing_sms.failed(message, problem, now),
            failure(self.store, self.random, message, problem, now),
        )
        if noted:
            self.metrics.inc("sms", f"{message.country}_failed")

    def routes(self) -> list[Route]:
        """One route, for the gateway."""
        operation = Operation(id="smsReport", answers={204: None}, errors=(403,))
        return [machine(f"{REPORTS}{self.channel.name}", "POST", self.receive, operation=operation)]


def failure(store: Store, random: SecureRandom, message: OutgoingSms, reason: str, now: int) -> Write:
    """The audit event of a message that did not arrive."""
    return store.audit.append(
        AuditEvent(
            id=random.new_id("aud"),
            at=now,
            kind="sms.failed",
            ok=False,
            account_id=message.account_id,
            detail={"country": message.country, "reason": reason},
        ),
        salt=new_salt(random),
    )
