"""How the service of the audit log is built."""

from __future__ import annotations

from doorward.features.audit.service import Record
from doorward.features.services import Services


def audit_log(services: Services) -> Record:
    """Lines of the audit log, for the commits of others."""
    return Record(store=services.store, chance=services.random)
