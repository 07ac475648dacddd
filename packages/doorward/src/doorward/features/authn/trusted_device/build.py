"""Construction of the service for remembered devices."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.flow.build import offered_factors
from doorward.features.authn.trusted_device.service import TrustedDevices
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services


def trusted_devices(services: Services) -> TrustedDevices:
    """The devices on which the second step is not asked for."""
    return TrustedDevices(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        factors=services.get(offered_factors),
        policy=services.second_factor,
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        mail_queue=services.mail,
    )
