"""Parts of codes by text message: all that their folder adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.features.authn.factors.sms.activity import ACTIVITY_KINDS
from doorward.features.authn.factors.sms.build import phone_enrolment, sms_factor, sms_worker
from doorward.features.authn.factors.sms.checks import text_messages
from doorward.features.authn.factors.sms.messages import PhoneAdded, PhoneRemoved
from doorward.features.authn.factors.sms.outbox import kept_messages
from doorward.features.authn.factors.sms.views import PhoneDone
from doorward.features.authn.flow.plug import FactorParts
from doorward.features.feature import BackgroundJob, DoctorCheck
from doorward.features.services import Services


def _jobs(services: Services) -> Sequence[BackgroundJob]:
    worker = services.get(sms_worker)
    return () if worker is None else (BackgroundJob(name="sms", run=worker.run),)


SMS: Final = FactorParts(
    factors=lambda services: (services.get(sms_factor),),
    enrolment=phone_enrolment,
    card=phone_enrolment,
    done=PhoneDone,
    activity=ACTIVITY_KINDS,
    credential_types=(("sms", "phone-sms"),),
    messages=(PhoneAdded, PhoneRemoved),
    jobs=_jobs,
    kept=lambda services: kept_messages(services.store, services.sealer),
    checks=(DoctorCheck(name="text messages", look=text_messages),),
)
