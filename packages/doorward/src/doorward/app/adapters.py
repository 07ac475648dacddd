"""The adapters of one process: opened here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from doorward.adapters.clock import SystemClock
from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.adapters.hashing.breached_list import nothing_listed, open_list
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import CatalogSigner
from doorward.adapters.logs import logger
from doorward.adapters.mail.queue import SealingPostman
from doorward.adapters.metrics import PrometheusMeter
from doorward.adapters.random import SystemChance
from doorward.app.root import open_sealer
from doorward.app.shared import Shared, open_shared
from doorward.cluster.config_snapshot import WatchedCatalog
from doorward.core.model.message import Letter
from doorward.core.ports.breached import BreachedList
from doorward.core.ports.clock import Clock
from doorward.core.ports.mail_queue import MailKind, Postman
from doorward.core.ports.store import Store
from doorward.settings import Settings
from doorward.storage.postgres.url import is_postgres
from doorward.storage.postgres.url_words import understood
from doorward.storage.sql.database_state import admit
from doorward.storage.sql.open import open_store
from doorward.web.mail import letters
from doorward.web.mail import render as mail_render
from doorward.web.pages import language


@dataclass(frozen=True, slots=True)
class Outside:
    """The adapters of one process: what acts on the world, and what is asked for chance and time."""

    store: Store
    shared: Shared
    clock: Clock
    chance: SystemChance
    sealer: KeyedSealer
    signer: CatalogSigner
    catalog: WatchedCatalog
    hasher: Argon2Hasher
    breached: BreachedList
    meter: PrometheusMeter
    postman: Postman


async def open_outside(settings: Settings, *, clock: Clock | None = None) -> Outside:
    """The adapters, ready. Raises `KeyProblem`, `StoreUnavailable`, `SchemaRefused`, `BadBreachList`."""
    chance = SystemChance()
    breached = open_list(settings.passwords.breached_list) or nothing_listed
    plain = str.__str__(settings.database)
    if is_postgres(plain):
        for note in understood(plain).notes:
            logger("database").info("database.url", note=note)
    store = await open_store(settings.database, postgres=settings.postgres)
    try:
        await admit(store.meta, where=str(settings.database))
        sealer = await open_sealer(settings, store)
    except BaseException:
        await store.close()
        raise
    meter = PrometheusMeter()
    if clock is None:
        clock = system = SystemClock()
        meter.clock_ahead(system.ahead)
    shared = open_shared(settings, store, sealer, clock, meter)
    signer = CatalogSigner(settings.issuer, sealer)
    return Outside(
        store=store,
        shared=shared,
        clock=clock,
        chance=chance,
        sealer=sealer,
        signer=signer,
        catalog=WatchedCatalog(store, signer, bell=shared.bells),
        hasher=Argon2Hasher(settings.passwords),
        breached=breached,
        meter=meter,
        postman=SealingPostman(sealer, chance, mail_writer(settings)),
    )


def mail_writer(settings: Settings) -> Callable[[MailKind, str | None, dict[str, Any]], Letter]:
    """Renders the letters; `adapters/mail/queue.py` seals them."""

    def write(kind: MailKind, locale: str | None, values: dict[str, Any]) -> Letter:
        spoken = language.choose(cookie=locale, default=settings.brand.locale)
        letter = letters.LETTERS[kind](**values)
        context = mail_render.MailContext(spoken, settings.brand.name, settings.issuer)
        mail = mail_render.render(letter, context)
        return Letter(subject=mail.subject, text=mail.text, html=mail.html, code=values.get("code"))

    return write
