"""Construction of the signing key service."""

from __future__ import annotations

from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy
from doorward.features.oauth.clients.rules.self_registered import ALGORITHMS
from doorward.features.oauth.registration.settings import RegistrationPolicy
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
        # apps that no operator registered choose among these, without a wait for a key
        always=ALGORITHMS if _open(services) else (),
    )


def _open(services: Services) -> bool:
    documents, registration = ClientDocumentPolicy, RegistrationPolicy
    return (
        services.sections.of(documents).accept != "none" or services.sections.of(registration).mode != "off"
    )
