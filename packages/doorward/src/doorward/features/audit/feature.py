"""Audit feature: the background job that seals the log, and the check that it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import BackgroundJob, DoctorCheck, Examined, Feature, Jobs, Services

if TYPE_CHECKING:
    from doorward.core.model.finding import Finding

SEAL = 1.0
"""Seconds between two turns."""


def _jobs(services: Services) -> Jobs:
    from doorward.adapters.background import every
    from doorward.features.audit.build import audit_sealer

    sealer = services.get(audit_sealer)
    return [BackgroundJob(name="audit sealer", run=lambda: every(SEAL, sealer.round, name="audit sealer"))]


def _checks() -> Sequence[DoctorCheck]:
    async def look(at: Examined) -> Finding | None:
        from doorward.features.audit.checks import chain_of_audit_log

        return await chain_of_audit_log(at)

    return [DoctorCheck(name="audit chain", look=look)]


AUDIT = Feature(name="audit", jobs=_jobs, checks=_checks)
