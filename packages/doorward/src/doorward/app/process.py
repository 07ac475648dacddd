"""One serving process: opens everything, begins the background work, and takes it down again."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from doorward.adapters import logs, trust
from doorward.adapters.background import Background, every, once
from doorward.adapters.http_client import BackChannel
from doorward.adapters.keys.signing import SealedKeyMaker
from doorward.adapters.mail.delivery import LogoutWorker, MailWorker
from doorward.adapters.mail.smtp import SmtpSender, SmtpServer
from doorward.app.adapters import Outside, open_outside
from doorward.app.features import routes
from doorward.core.model.message import LogoutNotice
from doorward.core.ports.clock import Clock
from doorward.core.ports.store import StoreUnavailable
from doorward.features.authn.factors.email_code.still_works import StillWorks
from doorward.features.oauth.logout.notify import LogoutToken
from doorward.features.revocations.feed import Watch
from doorward.features.signing_keys.rotation import ManageKeys
from doorward.settings import Settings, load
from doorward.web.cookies import CookieJar
from doorward.web.error_pages import StatusPages
from doorward.web.pages import render as page_render
from doorward.web.router import App, Server

TEND_KEYS = 30.0
SWEEP = 20.0
Stop = Callable[[], Awaitable[None]]


def config_path() -> Path | None:
    """The settings file: `DOORWARD_CONFIG`, else `doorward.toml` in the working directory if it is there."""
    named = os.environ.get("DOORWARD_CONFIG")
    if named:
        return Path(named)
    here = Path("doorward.toml")
    return here if here.exists() else None


def create_app() -> Server:
    """The ASGI callable for `uvicorn --factory doorward.app:create_app`; settings are read when the server starts."""

    async def begin() -> tuple[App, Stop]:
        environ = {name: value for name, value in os.environ.items() if name != "DOORWARD_CONFIG"}
        settings = load(config_path(), environ)
        logs.configure(settings.log.level, settings.log.format)
        return await start(settings)

    return Server(begin)


async def start(settings: Settings, *, clock: Clock | None = None) -> tuple[App, Stop]:
    """Open everything, begin the background work, and answer the app and what stops it. `clock` is for tests that turn it."""
    outside = await open_outside(settings, clock=clock)
    keys = ManageKeys(
        store=outside.store,
        catalog=outside.catalog,
        maker=SealedKeyMaker(outside.sealer),
        chance=outside.chance,
        clock=outside.clock,
        tokens=settings.tokens,
        publish_ahead=settings.keys.publish_ahead,
        rotate_after=settings.keys.rotate_after,
    )
    await keys.tend()
    await outside.catalog.join(outside.chance.new_id("nod"), outside.clock)
    page_render.warm_up()
    background = Background()
    outside.shared.start(background)
    background.start(outside.catalog.watch(), name="catalog")
    background.start(_tend(keys, outside), name="signing keys")
    background.start(every(SWEEP, lambda: _sweep(outside, settings), name="sweep"), name="sweep")
    trusting = trust.context(settings.ca_file)
    back_channel = BackChannel(development=settings.development, context=trusting)
    _start_outbox(settings, outside, background, back_channel, trusting)
    if settings.metrics.port is not None:
        show = _show_metrics(outside, settings.metrics.host, settings.metrics.port)
        background.start(show, name="metrics")
    parts = urlsplit(settings.issuer)
    watch = Watch(outside.store, outside.shared.bells)
    jar = CookieJar.of(settings.issuer)
    app = App(
        routes(settings, outside, jar, watch),
        prefix=parts.path.rstrip("/"),
        https=jar.secure,
        trusted_proxies=[ip_network(text, strict=False) for text in settings.server.trusted_proxies],
        error_page=StatusPages(
            jar=jar,
            issuer=settings.issuer,
            brand_name=settings.brand.name,
            default_locale=settings.brand.locale,
        ),
        meter=outside.meter,
        # read out over the telephone: letters of one case, and no sign that looks like a minus
        process_tag=f"{outside.chance.below(1 << 32):08x}",
        on_closing=watch.release,
        configuration=outside.catalog,
    )

    async def stop() -> None:
        await background.stop()
        await back_channel.close()
        outside.hasher.close()
        # a row that stays behind costs who changes something a second; it goes by itself
        with suppress(StoreUnavailable):
            await outside.catalog.leave()
        await outside.shared.close()
        await outside.store.close()

    return app, stop


def _start_outbox(
    settings: Settings,
    outside: Outside,
    background: Background,
    back_channel: BackChannel,
    trusting: ssl.SSLContext,
) -> None:
    mail = settings.mail
    if mail.host is not None:
        parts = urlsplit(settings.issuer)
        server = SmtpServer(
            host=mail.host,
            sender=mail.sender or f"{settings.brand.name} <no-reply@{parts.hostname}>",
            port=mail.port,
            user=mail.user,
            password=mail.password,
            tls=mail.tls,
            timeout=mail.timeout,
        )
        sender = SmtpSender(server, context=trusting)
        worker = MailWorker(
            outside.store,
            outside.sealer,
            sender,
            outside.clock,
            outside.meter,
            spent=StillWorks(outside.store),
        )
        background.start(worker.run(), name="mail")
    tokens = LogoutToken(outside.catalog, outside.signer, outside.chance, settings.issuer)

    async def deliver(notice: LogoutNotice) -> str | None:
        try:
            made = tokens(notice, now=outside.clock.now())
        except KeyError:
            return "there is no key yet to sign the log-out token with"
        # Gone, or no longer interested: nothing is owed any more.
        return None if made is None else await back_channel.post_logout_token(*made)

    notices = LogoutWorker(outside.store, deliver, outside.clock, outside.meter)
    background.start(notices.run(), name="log-out notices")


async def _tend(keys: ManageKeys, outside: Outside) -> None:
    """Look after the signing keys now and then, and at once when the catalog changed: an app that was just registered for
    another algorithm must not wait for its key."""
    changed = asyncio.Event()
    outside.catalog.on_change(lambda _: changed.set())

    async def round_of_care() -> None:
        changed.clear()
        await keys.tend()

    while True:
        await once(round_of_care, name="signing keys")
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), TEND_KEYS)


async def _sweep(outside: Outside, settings: Settings) -> None:
    """Small batches until nothing is left, with a breath between them, so that no request waits for long. Of all processes on the
    database one does so at a time: several would only wait for one another's rows."""
    now = outside.clock.now()
    mine = outside.store.attempts.claim("sweep", "turn", now + int(SWEEP) - 2, now=now)
    if not await outside.store.commit(mine):
        return
    keep = settings.audit.keep_days * 86_400
    for _ in range(200):
        gone = await outside.store.sweep(outside.clock.now())
        if keep:
            gone += await outside.store.audit.let_go(outside.clock.now(), keep)
        if gone == 0:
            break
        await asyncio.sleep(0.05)
    await outside.catalog.forget_the_dead()


async def _show_metrics(outside: Outside, host: str, port: int) -> None:
    """The page of numbers on its port. After a reload the worker before us may still have it; no token waits for that."""
    told = False
    while True:
        try:
            stop = outside.meter.serve(host, port)
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
