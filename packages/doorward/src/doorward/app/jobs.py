"""Background jobs of one serving process: those of the adapters and of all features."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from doorward.adapters import logs, trust
from doorward.adapters.background import every
from doorward.adapters.mail.delivery import MailWorker
from doorward.adapters.mail.smtp import SmtpSender, SmtpServer
from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.sending import of_worker
from doorward.app.container import Container
from doorward.features.audit.build import audit_sealer
from doorward.features.authn.email_challenges.build import mailed_code_problem
from doorward.features.feature import BackgroundJob
from doorward.features.notices.build import notice_bundles
from doorward.settings import Settings

SWEEP = 20.0


def jobs(container: Container, metrics: PrometheusMetrics) -> Iterator[BackgroundJob]:
    """The jobs; each is to be started once."""
    settings, services = container.settings, container.services
    yield BackgroundJob(name="change notifiers", run=container.notifier.run)
    if container.cache is not None:
        yield BackgroundJob(name="cache", run=container.cache.watch)
    yield BackgroundJob(name="config snapshot", run=services.config.watch)
    yield BackgroundJob(name="sweep", run=lambda: every(SWEEP, lambda: _sweep(container), name="sweep"))
    if (server := mail_server(settings)) is not None:
        yield BackgroundJob(name="mail", run=_mail(container, server).run)
    if (port := settings.metrics.port) is not None:
        yield BackgroundJob(name="metrics", run=lambda: _show_metrics(metrics, settings.metrics.host, port))
    for feature in container.features:
        yield from feature.jobs(services)


def mail_server(settings: Settings) -> SmtpServer | None:
    """The mail server of the settings; without one, mail stays in the outbox."""
    mail = settings.mail
    if mail.host is None or mail.sender is None:
        return None
    return SmtpServer(
        host=mail.host,
        sender=mail.sender,
        port=mail.port,
        user=mail.user,
        password=mail.password,
        tls=mail.tls,
        timeout=mail.timeout,
    )


def _mail(container: Container, server: SmtpServer) -> MailWorker:
    services = container.services
    return MailWorker(
        store=services.store,
        sealer=services.sealer,
        sender=SmtpSender(server, context=trust.context(services.ca_file)),
        clock=services.clock,
        metrics=services.metrics,
        spent=services.get(mailed_code_problem),
        bundles=services.get(notice_bundles),
        most=of_worker(container.settings.server.workers),
    )


async def _sweep(container: Container) -> None:
    """Delete expired rows in small batches, with pauses so that no request waits long. Only one process per database does so at a
    time: several would only wait for one another's row locks."""
    services = container.services
    store, clock = services.store, services.clock
    now = clock.now()
    mine = store.replay_cache.claim("sweep", "turn", now + int(SWEEP) - 2, now=now)
    if not await store.commit(mine):
        return
    keep = container.settings.audit.keep_days * 86_400
    sealer = services.get(audit_sealer)
    # whole hours, so that the chain's beginning is signed anew once an hour at most
    hour = clock.now() // 3600 * 3600
    for _ in range(200):
        gone = await store.sweep(clock.now())
        if keep:
            gone += await sealer.prune(hour, keep)
            gone += await store.audit.prune(hour, keep)
        if gone == 0:
            break
        await asyncio.sleep(0.05)
    await services.config.forget_the_dead()


async def _show_metrics(metrics: PrometheusMetrics, host: str, port: int) -> None:
    """Serve the metrics page on its port. After a reload the previous worker may still hold the port; no token request waits for
    that."""
    told = False
    while True:
        try:
            stop = metrics.serve(host, port)
            break
        except OSError as problem:
            if not told:
                logs.logger("metrics").warning("metrics.port_taken", port=port, reason=problem.strerror)
            told = True
            await asyncio.sleep(0.5)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.to_thread(stop)
