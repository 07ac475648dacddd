"""Risk feature: judges sign-ins, and explains the verdicts to their owners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.features.authn.slots import RISK
from doorward.features.feature import BackgroundJob, DoctorCheck, Feature, Jobs
from doorward.features.slots import ACTIVITY

if TYPE_CHECKING:
    from doorward.features.authn.flow.risk import RiskJudge
    from doorward.features.services import Services
    from doorward.features.slots import ActivityKind


JUDGE = 15.0
"""Seconds between two looks at what was noted of tokens."""


def _checks() -> Sequence[DoctorCheck]:
    from doorward.features.risk.checks import policy

    return [DoctorCheck(name="risk", look=policy)]


def _judge(services: Services) -> Sequence[RiskJudge]:
    from doorward.features.risk.build import risk_check

    return (services.get(risk_check),)


def _activity(services: Services) -> Sequence[ActivityKind]:
    from doorward.features.risk.activity import ACTIVITY_KINDS

    del services
    return ACTIVITY_KINDS


def _jobs(services: Services) -> Jobs:
    from doorward.adapters.background import every
    from doorward.features.risk.build import family_watch

    watch = services.get(family_watch)

    async def judge() -> None:
        await watch.judge()

    return [
        BackgroundJob(name="networks of tokens", run=lambda: every(JUDGE, judge, name="networks of tokens"))
    ]


RISKS = Feature(
    name="risk", jobs=_jobs, checks=_checks, adds=(RISK.filled_by(_judge), ACTIVITY.filled_by(_activity))
)
