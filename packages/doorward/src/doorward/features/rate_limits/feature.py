"""Rate limit feature: the exchange of counters between processes."""

from __future__ import annotations

from doorward.features.feature import BackgroundJob, Feature, Jobs, Services

_EVERY = 1.0


def _jobs(services: Services) -> Jobs:
    from doorward.adapters.background import every
    from doorward.features.rate_limits.build import counter_sync

    sync = services.get(counter_sync)
    return [
        BackgroundJob(
            name="shared counters", run=lambda: every(_EVERY, sync.exchange, name="shared counters")
        )
    ]


RATE_LIMITS = Feature(name="rate_limits", jobs=_jobs)
