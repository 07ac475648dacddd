"""How the services of the signing keys and of the root secret are built."""

from __future__ import annotations

from doorward.core.ports.key_wrapper import KeyWrapper
from doorward.features.services import Services
from doorward.features.signing_keys.root import RootSecret
from doorward.features.signing_keys.rotation import ManageKeys
from doorward.features.signing_keys.wrappings import ManageWrappings


def key_rotation(services: Services) -> ManageKeys:
    """Makes, turns and revokes signing keys."""
    return ManageKeys(
        store=services.store,
        catalog=services.config,
        maker=services.key_maker,
        chance=services.random,
        clock=services.clock,
        tokens=services.tokens,
        publish_ahead=services.publish_ahead,
        rotate_after=services.rotate_after,
    )


def root_wrappings(services: Services, *, wrapper: KeyWrapper, root: RootSecret) -> ManageWrappings:
    """Changes the key-encryption keys of the root secret; both are for this service alone."""
    return ManageWrappings(
        store=services.store, wrapper=wrapper, root=root, chance=services.random, clock=services.clock
    )
