"""Security events of an account, from a line of the audit log (CAEP 1.0 §3.2, RISC 1.0 §2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from doorward.core.model.audit import AuditEvent
from doorward.core.model.security_event import AccountEvent, EventKind

_ACCOUNT: Final[Mapping[str, EventKind]] = {
    "account.disabled": "account-disabled",
    "account.enabled": "account-enabled",
    "account.deleted": "account-purged",
}
_PASSWORD: Final = frozenset({"password.changed", "password.reset"})
_CHANGES: Final[Mapping[str, str]] = {"added": "create", "removed": "delete", "copied": "revoke"}
_SYSTEM: Final = frozenset({"directory", "provider"})


def account_events(line: AuditEvent, types: Mapping[str, str]) -> Sequence[AccountEvent]:
    """What a line says to streams: nothing for most kinds, for attempts, and for lines without an account. Ended sessions have no place
    here: they are told where they end. `types` are the `credential_type` of the methods of the audit log; others are no credentials."""
    if line.account_id is None or not line.ok:
        return ()
    found: list[tuple[EventKind, dict[str, Any]]] = []
    if (kind := _ACCOUNT.get(line.kind)) is not None:
        found.append((kind, {}))
    for credential, change in _credentials(line, types):
        said = {"credential_type": credential, "change_type": change, "initiating_entity": _by(line)}
        found.append(("credential-change", said))
    return [
        AccountEvent(id=f"{line.id}.{number}", kind=kind, account_id=line.account_id, at=line.at, detail=said)
        for number, (kind, said) in enumerate(found)
    ]


def _credentials(line: AuditEvent, types: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    if line.kind in _PASSWORD:
        return [("password", "update")]
    if line.kind == "second_factor.reset":
        named: object = line.detail.get("methods")
        methods = (
            cast("Sequence[str]", named) if isinstance(named, list | tuple) else str(named or "").split()
        )
        gone = dict.fromkeys(types[one] for one in methods if one in types)
        password = [("password", "revoke")] if line.detail.get("password") == "forgotten" else []
        return [*((one, "delete") for one in gone), *password]
    # second_factor.added, and kinds that begin with their method
    noun, _, verb = line.kind.partition(".")
    method = str(line.detail.get("method", noun))
    return [(types[method], _CHANGES[verb])] if verb in _CHANGES and method in types else []


def _by(line: AuditEvent) -> str:
    """`initiating_entity` (CAEP 1.0 §2)."""
    by = line.detail.get("by")
    if by == "operator":
        return "admin"
    return "system" if by in _SYSTEM or line.kind.endswith(".copied") else "user"
