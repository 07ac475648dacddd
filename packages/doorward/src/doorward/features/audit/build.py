"""Construction of the audit log service."""

from __future__ import annotations

from doorward.features.audit.service import AuditLog
from doorward.features.services import Services


def audit_log(services: Services) -> AuditLog:
    """The audit log, whose writes join the commits of other services."""
    return AuditLog(store=services.store, random=services.random)
