"""Check of the cache. Part of `doctor`; changes nothing."""

from __future__ import annotations

import time
from typing import Any, Final, cast
from urllib.parse import urlsplit

from doorward.core.model.finding import Finding, failed, passed
from doorward.settings import Settings

_SLOW_MS: Final = 20.0


async def cache(settings: Settings) -> Finding | None:
    """Whether the cache answers, how quickly, and whether it evicts entries on its own. None where no cache is set."""
    if settings.cache is None:
        return None
    # imported here: most installations have none
    from valkey.exceptions import ValkeyError

    from doorward.adapters.valkey.connection import client

    url = settings.cache.reveal()
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    # the client's types cover synchronous use as well
    link: Any = client(url)
    try:
        await link.ping()
        began = time.perf_counter()
        await link.ping()
        took = (time.perf_counter() - began) * 1000
        told = cast("dict[str, Any]", await link.info())
    except (ValkeyError, OSError, TimeoutError) as problem:
        return failed(
            f"{where} does not answer ({type(problem).__name__}); the server counts in the database meanwhile",
            "Start it, or check cache and its password.",
        )
    finally:
        await link.aclose()
    version = told.get("valkey_version") or told.get("redis_version") or "unknown"
    said = f"{where}, version {version}, {took:.1f} ms away"
    policy = str(told.get("maxmemory_policy", "noeviction"))
    if int(told.get("maxmemory", 0)) and policy != "noeviction":
        return failed(
            f"{said}; when its memory is full it throws counters away ({policy}), and each is read from the database",
            "Set maxmemory-policy noeviction.",
        )
    if took > _SLOW_MS:
        return passed(said, "Put it nearer: each sign-in asks it several times.")
    return passed(said)
