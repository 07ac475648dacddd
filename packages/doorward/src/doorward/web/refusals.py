"""How a refusal of the back channel looks on the wire (RFC 6749 §5.2, RFC 6585 §4)."""

from __future__ import annotations

from typing import Final

import structlog

from doorward.model.caller import Caller
from doorward.model.refusal import Refusal
from doorward.web.http import Request, Response, json_response

STATUS: Final = {"invalid_client": 401, "temporarily_unavailable": 503, "server_error": 500}
_TOO_MANY: Final = 429
log = structlog.get_logger("doorward.oauth")


def caller(request: Request) -> Caller:
    """Who sent this, for the record."""
    return Caller(request.client_address, (request.header(b"user-agent") or "")[:300], request.request_id)


def refused(refusal: Refusal, request: Request, *, now: int) -> Response:
    """The error response; `because` goes to the log and nowhere else."""
    status = STATUS.get(refusal.code, 400)
    if refusal.retry_at is not None and status != STATUS["temporarily_unavailable"]:
        status = _TOO_MANY
    log.info(
        "refused",
        path=request.path,
        error_code=refusal.code,
        because=refusal.because or refusal.say,
        request_id=request.request_id,
    )
    response = json_response({"error": refusal.code, "error_description": refusal.say}, status)
    if refusal.retry_at is not None:
        response.add("retry-after", str(max(1, refusal.retry_at - now)))
    # Only who tried that header is challenged for it (RFC 6749 §5.2): in a browser the challenge would open a password box.
    if status == STATUS["invalid_client"] and request.header(b"authorization") is not None:
        response.add("www-authenticate", 'Basic realm="doorward", charset="UTF-8"')
    return response
