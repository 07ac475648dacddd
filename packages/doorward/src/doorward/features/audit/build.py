"""Construction of the audit log service."""

from __future__ import annotations

from doorward.features.audit.service import Record
from doorward.features.services import Services


def audit_log(services: Services) -> Record:
    """The audit log, whose writes join the commits of other services."""
    return Record(store=services.store, chance=services.random)
