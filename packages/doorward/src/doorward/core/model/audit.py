"""One line of the append-only audit log: the event, the account and the origin."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from doorward.core.model.place import NetworkKind, Place


class AuditEvent(Struct, frozen=True, kw_only=True):
    """`kind` is a dotted name from `docs/reference/audit.md` (sign_in.succeeded, refresh_token.replayed, …).

    `detail` holds plain values and never a secret. `ok` is False for a refusal. `place` and `network` are what the operator's files said
    of the address when the line was written. `erased`: the line had personal fields (`audit_line.py`), which were erased.
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
    place: Place | None = None
    network: NetworkKind | None = None
    erased: bool = False
