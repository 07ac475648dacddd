"""The adapters of one process: opened here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from doorward.model.message import Letter
from doorward.outside.breached import nothing_listed, open_list
from doorward.outside.catalog import WatchedCatalog
from doorward.outside.chance import SystemChance
from doorward.outside.clock import SystemClock
from doorward.outside.keys import CatalogSigner
from doorward.outside.logs import logger
from doorward.outside.metrics import PrometheusMeter
from doorward.outside.passwords import Argon2Hasher
from doorward.outside.postman import SealingPostman
from doorward.outside.seal import KeyedSealer
from doorward.ports.breached import BreachedList
from doorward.ports.clock import Clock
from doorward.ports.postman import MailKind, Postman
from doorward.ports.store import Store
from doorward.settings import Settings
from doorward.stores.sql.open import open_store
from doorward.stores.sql.postgres_url import is_postgres
from doorward.stores.sql.postgres_words import understood
from doorward.stores.sql.standing import admit
from doorward.web.mail import letters
from doorward.web.mail import render as mail_render
from doorward.web.pages import language
from doorward.wiring.root import open_sealer
from doorward.wiring.shared import Shared, open_shared


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
    """Renders the letters; `outside/postman.py` seals them."""

    def write(kind: MailKind, locale: str | None, values: dict[str, Any]) -> Letter:
        spoken = language.choose(cookie=locale, default=settings.brand.locale)
        letter = letters.LETTERS[kind](**values)
        context = mail_render.MailContext(spoken, settings.brand.name, settings.issuer)
        mail = mail_render.render(letter, context)
        return Letter(subject=mail.subject, text=mail.text, html=mail.html, code=values.get("code"))

    return write
