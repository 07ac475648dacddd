"""The objects of one process, built in one place for the server, for every command, and for tests.

`open_container` opens external resources and puts the ports and the settings' values into `Services`; everything above is built
on first use by the features' `build.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct, structs

from doorward.adapters.clock import SystemClock
from doorward.adapters.counters.store import StoreCounters
from doorward.adapters.counters.write_behind import WriteBehindCounter
from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.adapters.hashing.breached_list import BadBreachList, NothingListed, open_list
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SealedKeyMaker, SnapshotSigner
from doorward.adapters.logs import logger
from doorward.adapters.mail.queue import NoticeRules, SealedMailQueue
from doorward.adapters.no_metrics import NoMetrics
from doorward.adapters.operator_notices import OperatorNotices
from doorward.adapters.random import SystemRandom
from doorward.app.key_wrapper import key_wrapper
from doorward.app.root import root_secret
from doorward.cluster.change_notifier import ChangeNotifiers
from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
from doorward.core.errors import StoreUnavailable
from doorward.core.model.message import EmailMessage
from doorward.core.model.place import Place
from doorward.core.ports.breached import BreachedList
from doorward.core.ports.change_notifier import ChangeNotifier
from doorward.core.ports.clock import Clock
from doorward.core.ports.counters import Counters
from doorward.core.ports.mail_queue import MailKind
from doorward.core.ports.metrics import Metrics
from doorward.core.ports.passwords import PasswordHasher
from doorward.core.ports.random import SecureRandom
from doorward.core.web_origin import web_origin
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.features.services import Services
from doorward.features.signing_keys.root import RootSecret
from doorward.features.slots import FOLLOWERS, message_templates
from doorward.settings import Settings
from doorward.storage.postgres.url import is_postgres
from doorward.storage.sql.database_state import admit
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store

if TYPE_CHECKING:
    from doorward.adapters.valkey.connection import ValkeyLink
    from doorward.features.admin.wrappings import WrappingAdmin
    from doorward.web.mail.message import MessageTemplate

_log = logger("container")


class Container(Struct, frozen=True, kw_only=True):
    """The result of `open_container`. Close it after use: `async with aclosing(await open_container(settings=…)) as
    container`."""

    settings: Settings
    features: Sequence[Feature]
    services: Services
    notifier: ChangeNotifiers
    cache: ValkeyLink | None
    root: RootSecret
    closing: AsyncExitStack

    def root_wrappings(self) -> WrappingAdmin:
        """The service that changes key-encryption keys. Raises `KeyProblem`."""
        from doorward.features.admin.build import wrappings

        return wrappings(self.services, wrapper=key_wrapper(self.settings), root=self.root)

    async def aclose(self) -> None:
        """Write pending counts, notify the other processes of what was committed, and close everything that was opened."""
        async with self.closing:
            try:
                await self.services.uncommitted.flush()
            except StoreUnavailable:
                _log.warning("counters.lost")
            await self.notifier.published()


async def open_container(
    *,
    settings: Settings,
    features: Sequence[Feature] = FEATURES,
    metrics: Metrics | None = None,
    clock: Clock | None = None,
    random: SecureRandom | None = None,
    store: Store | None = None,
    hasher: PasswordHasher | None = None,
    breached: BreachedList | None = None,
) -> Container:
    """Open what the settings name. An argument given by keyword replaces the part of that name; a given store is left open at the
    end.

    Raises `KeyProblem`, `StoreUnavailable`, `SchemaRefused`, `BadBreachList`, OSError.
    """
    breached = breached or _breached(settings)
    closing = AsyncExitStack()
    if store is None:
        store = await open_store(settings.database, postgres=settings.postgres)
        closing.push_async_callback(store.close)
    try:
        await admit(store.meta, where=str(settings.database))
        root = await root_secret(settings, store)
    except BaseException:
        await closing.aclose()
        raise
    metrics = metrics or NoMetrics()
    if clock is None:
        clock = system = SystemClock()
        metrics.clock_ahead(system.ahead)
    random = random or SystemRandom()
    if hasher is None:
        hasher = argon2 = Argon2Hasher(settings.passwords)
        closing.callback(argon2.close)
    sealer = KeyedSealer(root.secret)
    signer = SnapshotSigner(issuer=settings.issuer, sealer=sealer)
    uncommitted = WriteBehindCounter(store=store, clock=clock)
    cache, notifiers = None, list[ChangeNotifier]()
    if is_postgres(str.__str__(settings.database)):
        # the client library is not loaded where there is only a file
        from doorward.storage.postgres.change_notifier import PostgresChangeNotifier

        notifiers.append(
            PostgresChangeNotifier(
                url=settings.database,
                metrics=metrics,
                options=settings.postgres,
                tell=lambda said: _log.warning("change_notifier.postgres", reason=said),
            )
        )
    counters: Counters = StoreCounters(store=store)
    if settings.cache is not None:
        # the client library is not loaded where there is no cache
        from doorward.adapters.valkey.change_notifier import ValkeyChangeNotifier
        from doorward.adapters.valkey.connection import ValkeyLink
        from doorward.adapters.valkey.counters import ValkeyCounters

        cache = ValkeyLink(settings.cache.reveal(), metrics=metrics)
        closing.push_async_callback(cache.close)
        counters = ValkeyCounters(link=cache, store=store, uncommitted=uncommitted)
        notifiers.append(ValkeyChangeNotifier(url=settings.cache.reveal(), link=cache, metrics=metrics))
    notifier = ChangeNotifiers(notifiers)
    store.on_change(notifier.changed)
    parts = urlsplit(settings.issuer)
    services = Services(
        store=store,
        clock=clock,
        random=random,
        sealer=sealer,
        signer=signer,
        key_maker=SealedKeyMaker(sealer),
        config=ConfigSnapshotWatcher(store=store, signer=signer, notifier=notifier),
        metrics=metrics,
        counters=counters,
        uncommitted=uncommitted,
        notifier=notifier,
        hasher=hasher,
        breached=breached,
        mail=SealedMailQueue(
            sealer=sealer,
            random=random,
            render=_mail_writer(settings, lambda: services.get(message_templates)),
            rules=NoticeRules(
                without=settings.notices.without,
                wait=settings.notices.wait,
                link_life=settings.notices.link_life,
            ),
            find=lambda address: _place(services, address),
        ),
        notices=OperatorNotices(),
        additions=[each for feature in features for each in feature.adds],
        issuer=settings.issuer,
        # the settings check has made sure that browsers can open it
        origin=web_origin(settings.issuer) or f"{parts.scheme}://{parts.netloc}",
        brand_name=settings.brand.name,
        default_locale=settings.brand.locale,
        development=settings.development,
        beyond_ascii=settings.beyond_ascii,
        sends_mail=settings.sends_mail,
        ca_file=settings.ca_file,
        metrics_token=settings.metrics.token,
        publish_ahead=settings.keys.publish_ahead,
        rotate_after=settings.keys.rotate_after,
        tokens=settings.tokens,
        sessions=settings.sessions,
        passwords=settings.passwords,
        second_factor=settings.second_factor,
        throttle=settings.throttle,
        sections=settings.sections,
    )
    # until a snapshot is read, each statement looks for itself whether there is a stream
    store.security_events.wanted = None
    services.config.on_change(store.security_events.follow)
    for follower in services.added(FOLLOWERS):
        store.audit.follow(follower)
    return Container(
        settings=settings,
        features=tuple(features),
        services=services,
        notifier=notifier,
        cache=cache,
        root=root,
        closing=closing,
    )


def _breached(settings: Settings) -> BreachedList:
    try:
        return open_list(settings.passwords.breached_list) or NothingListed()
    except OSError as problem:
        raise BadBreachList(str(problem)) from None


def _place(services: Services, address: str) -> Place | None:
    # imported here: only a command that sends mail needs the files of places
    from doorward.features.places.build import places

    return services.get(places).find(address)


def _mail_writer(
    settings: Settings, templates: Callable[[], Mapping[str, type[MessageTemplate]]]
) -> Callable[[MailKind, str | None, dict[str, Any]], EmailMessage]:
    """Renders the messages; `adapters/mail/queue.py` seals them."""

    def write(kind: MailKind, locale: str | None, values: dict[str, Any]) -> EmailMessage:
        # imported here: only a command that sends mail needs templates and languages
        from doorward.web.mail.render import render
        from doorward.web.pages import language

        message = render(
            templates()[kind](**values),
            locale=language.choose(cookie=locale, default=settings.brand.locale),
            brand_name=settings.brand.name,
            issuer=settings.issuer,
        )
        return structs.replace(message, code=values.get("code"))

    return write
