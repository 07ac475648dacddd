"""One line of the append-only audit log: the event, the account and the origin."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class AuditEvent(Struct, frozen=True, kw_only=True):
    """`kind` is a dotted name from `docs/reference/audit.md` (sign_in.succeeded, refresh_token.replayed, …).

    `detail` holds plain values and never a secret. `ok` is False for a refusal.
    """

    id: str
    at: int
    kind: str
    ok: bool = True
    account_id: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    grant_id: str | None = None
    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
