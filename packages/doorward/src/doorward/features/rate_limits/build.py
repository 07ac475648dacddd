"""Construction of the rate limit services."""

from __future__ import annotations

from doorward.features.rate_limits.rules.failures import ClientAuthRateLimiter
from doorward.features.rate_limits.rules.sign_in_starts import PER_GUESS, SignInRateLimiter
from doorward.features.rate_limits.service import Throttle
from doorward.features.rate_limits.sync import CounterSync
from doorward.features.services import Services


def throttle(services: Services) -> Throttle:
    """The counters of guesses and mails, shared by all processes."""
    return Throttle(
        store=services.store,
        sealer=services.sealer,
        policy=services.throttle,
        counters=services.counters,
    )


def client_failures(services: Services) -> ClientAuthRateLimiter:
    """Failed client authentications per address."""
    return ClientAuthRateLimiter(per_address=services.throttle.per_address)


def sign_in_starts(services: Services) -> SignInRateLimiter:
    """Sign-ins begun per network."""
    return SignInRateLimiter(limit=services.throttle.per_address * PER_GUESS)


def counter_sync(services: Services) -> CounterSync:
    """The exchange of both counters between the processes."""
    return CounterSync(
        store=services.store,
        sealer=services.sealer,
        clock=services.clock,
        uncommitted=services.uncommitted,
        counters={
            "failures": services.get(client_failures).counter,
            "begun": services.get(sign_in_starts).counter,
        },
    )
