"""Construction of the services for API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.api_keys.expiry import ExpiryWarnings
from doorward.features.api_keys.last_use import LastUse
from doorward.features.api_keys.making import ApiKeyMaker
from doorward.features.api_keys.own import OwnApiKeys
from doorward.features.api_keys.settings import ApiKeyPolicy
from doorward.features.api_keys.verification import ApiKeyVerification
from doorward.features.audit.build import audit_log
from doorward.features.rate_limits.build import client_failures, throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker

if TYPE_CHECKING:
    from doorward.features.api_keys.routes import ApiKeyPages


def last_use(services: Services) -> LastUse:
    """The uses of keys that wait to be written."""
    return LastUse(store=services.store)


def verification(services: Services) -> ApiKeyVerification:
    """The check of keys that requests present."""
    return ApiKeyVerification(
        store=services.store,
        config=services.config,
        failures=services.get(client_failures),
        last_use=services.get(last_use),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
    )


def maker(services: Services) -> ApiKeyMaker:
    """The maker of keys."""
    return ApiKeyMaker(random=services.random, policy=services.sections.of(ApiKeyPolicy))


def own_keys(services: Services) -> OwnApiKeys:
    """What people do with their own keys."""
    return OwnApiKeys(
        store=services.store,
        config=services.config,
        maker=services.get(maker),
        policy=services.sections.of(ApiKeyPolicy),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        mail_queue=services.mail,
        revoker=services.get(revoker),
        metrics=services.metrics,
    )


def warnings(services: Services) -> ExpiryWarnings:
    """The mails before keys expire."""
    return ExpiryWarnings(
        store=services.store, config=services.config, mail_queue=services.mail, clock=services.clock
    )


def api_key_pages(services: Services) -> ApiKeyPages:
    """The pages below /account/api-keys."""
    # imported here: commands load no pages
    from doorward.features.api_keys.routes import ApiKeyPages
    from doorward.features.authn.flow.build import signed_in_pages

    return ApiKeyPages(own=services.get(signed_in_pages), keys=services.get(own_keys), config=services.config)
