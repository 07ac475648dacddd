"""Start and stop of one serving process and its background jobs."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from doorward.adapters import logs
from doorward.adapters.background import BackgroundTasks
from doorward.adapters.metrics import PrometheusMetrics
from doorward.app.container import Container, open_container
from doorward.app.http import http_app
from doorward.app.jobs import jobs
from doorward.core.errors import StoreUnavailable
from doorward.core.ports.clock import Clock
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.features.signing_keys.build import key_rotation
from doorward.settings import Settings, load
from doorward.web.pages import render as page_render
from doorward.web.router import App, Server

Stop = Callable[[], Awaitable[None]]


def config_path() -> Path | None:
    """The settings file: `DOORWARD_CONFIG`, else `doorward.toml` in the working directory if it exists."""
    named = os.environ.get("DOORWARD_CONFIG")
    if named:
        return Path(named)
    here = Path("doorward.toml")
    return here if here.exists() else None


def create_app() -> Server:
    """The ASGI callable for `uvicorn --factory doorward.app.process:create_app`; settings are read when the server starts."""

    async def begin() -> tuple[App, Stop]:
        settings = load(config_path(), os.environ)
        logs.configure(settings.log.level, settings.log.format)
        return await start(settings)

    return Server(begin)


async def start(
    settings: Settings, *, clock: Clock | None = None, features: Sequence[Feature] = FEATURES
) -> tuple[App, Stop]:
    """Open everything, start the background jobs, and return the app and the function that stops it. `clock` is for tests that
    control time. What was opened is closed again when the start fails."""
    metrics = PrometheusMetrics()
    container = await open_container(settings=settings, features=features, metrics=metrics, clock=clock)
    try:
        return await _started(container, metrics)
    except BaseException:
        await container.aclose()
        raise


async def _started(container: Container, metrics: PrometheusMetrics) -> tuple[App, Stop]:
    services = container.services
    for feature in container.features:
        await feature.starting(services)
    await services.get(key_rotation).maintain()
    await services.config.join(services.random.new_id("nod"), services.clock)
    page_render.warm_up()
    # read out over the telephone: letters of one case, and no character that looks like a minus sign
    app = http_app(container, process_tag=f"{services.random.below(1 << 32):08x}")
    background = BackgroundTasks()
    for job in jobs(container, metrics):
        background.start(job.run(), name=job.name)

    async def stop() -> None:
        await background.stop()
        # a row that stays delays the next change by one second, and expires by itself
        with suppress(StoreUnavailable):
            await services.config.leave()
        await container.aclose()

    return app, stop
