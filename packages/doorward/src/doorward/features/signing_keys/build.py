"""Construction of the signing key service."""

from __future__ import annotations

from doorward.features.services import Services
from doorward.features.signing_keys.rotation import KeyRotation


def key_rotation(services: Services) -> KeyRotation:
    """The service that makes, rotates and revokes signing keys; operators use it through `features/admin/keys.py`."""
    return KeyRotation(
        store=services.store,
        config=services.config,
        maker=services.key_maker,
        random=services.random,
        clock=services.clock,
        tokens=services.tokens,
        publish_ahead=services.publish_ahead,
        rotate_after=services.rotate_after,
    )
