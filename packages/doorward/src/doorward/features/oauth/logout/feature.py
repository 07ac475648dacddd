"""Logout feature: its pages, and back-channel notifications to the apps that registered for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorward.features.feature import BackgroundJob, Feature, Jobs, Routes, Services

DAY: Final = 86_400
HOUR: Final = 3600
AT_ONCE: Final = 100

if TYPE_CHECKING:
    from doorward.core.model.message import LogoutNotice


def _routes(services: Services) -> Routes:
    from doorward.features.authn.providers.build import provider_sign_out
    from doorward.features.oauth.logout.build import sign_out
    from doorward.features.oauth.logout.routes import LogoutPages
    from doorward.features.repeated_posts.build import pages

    return LogoutPages(
        sign_out=services.get(sign_out), there=services.get(provider_sign_out), sealer=services.sealer
    ).routes(services.get(pages))


def _jobs(services: Services) -> Jobs:
    from doorward.adapters.background import every
    from doorward.adapters.http_client import BackChannel
    from doorward.adapters.mail.delivery import CONNECTIONS, LogoutWorker
    from doorward.features.oauth.logout.build import first_tries, logout_tokens
    from doorward.features.sessions.build import revoker

    tokens, waits = services.get(logout_tokens), services.get(first_tries)

    async def send() -> None:
        client = BackChannel(
            development=services.development, ca_file=services.ca_file, connections=CONNECTIONS
        )

        async def deliver(notice: LogoutNotice) -> str | None:
            try:
                made = tokens.make(notice, now=services.clock.now())
            except KeyError:
                return "there is no key yet to sign the log-out token with"
            # The app was deleted or has no notification URI any more, so nothing is left to deliver.
            return None if made is None else await client.post_logout_token(*made)

        worker = LogoutWorker(
            store=services.store,
            deliver=deliver,
            clock=services.clock,
            metrics=services.metrics,
            woken=waits.woken,
            tried=waits.tried,
        )
        try:
            await worker.run()
        finally:
            await client.close()

    ends, since = services.get(revoker), services.clock.now() - DAY

    async def look() -> None:
        nonlocal since
        now = services.clock.now()
        while await ends.tell_of_expired(now=now, since=since, limit=AT_ONCE) == AT_ONCE:
            pass
        since = now - HOUR

    return [
        BackgroundJob(name="log-out notices", run=send),
        BackgroundJob(name="expired sessions", run=lambda: every(60, look, name="expired sessions")),
    ]


LOGOUT = Feature(name="oauth.logout", routes=_routes, jobs=_jobs)
