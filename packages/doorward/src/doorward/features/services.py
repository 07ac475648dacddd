"""Services: the ports and facts of one server, and each service, built once on first use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from msgspec import Struct, field, structs

if TYPE_CHECKING:
    from doorward.adapters.counters.write_behind import WriteBehindCounter
    from doorward.adapters.operator_notices import OperatorNotices
    from doorward.cluster.change_notifier import ChangeNotifiers
    from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
    from doorward.core.model.policy import (
        PasswordPolicy,
        SecondFactorPolicy,
        SessionPolicy,
        ThrottlePolicy,
        TokenPolicy,
    )
    from doorward.core.model.secret import Secret
    from doorward.core.model.section import Sections
    from doorward.core.ports.breached import BreachedList
    from doorward.core.ports.clock import Clock
    from doorward.core.ports.counters import Counters
    from doorward.core.ports.keys import KeyMaker, Sealer, TokenSigner
    from doorward.core.ports.mail_queue import MailQueue
    from doorward.core.ports.metrics import Metrics
    from doorward.core.ports.passwords import PasswordHasher
    from doorward.core.ports.random import SecureRandom
    from doorward.storage.sql.store import Store

T = TypeVar("T")


class Slot(Generic[T]):
    """A list of a feature, such as its factors, to which other features add. The feature does not know which features add to it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def filled_by(self, build: Callable[[Services], Sequence[T]]) -> Addition:
        """An entry for `adds` of a feature: `Feature(name=…, adds=(FACTORS.filled_by(…),))`."""
        return Addition(slot=self, build=build)


class Addition(Struct, frozen=True, kw_only=True):
    """The additions of one feature to one slot."""

    slot: Slot[Any]
    build: Callable[[Services], Sequence[Any]]


class Services(Struct, frozen=True, kw_only=True, eq=False):
    """Created by `app/container.py`, the only module that knows adapters and settings.

    A folder's `build.py` has one function per service; `services.get(sign_up)` is the service that `sign_up(services)` builds, one
    object for all callers. Services are built, and modules loaded, only on use.
    """

    store: Store
    clock: Clock
    random: SecureRandom
    sealer: Sealer
    signer: TokenSigner
    key_maker: KeyMaker
    config: ConfigSnapshotWatcher
    metrics: Metrics
    counters: Counters
    uncommitted: WriteBehindCounter
    """Attempts that wait for the next commit."""
    notifier: ChangeNotifiers
    hasher: PasswordHasher
    breached: BreachedList
    mail: MailQueue
    notices: OperatorNotices

    additions: Sequence[Addition]
    """The additions of all features, in their order."""

    issuer: str
    origin: str
    """The issuer's origin as browsers send it."""
    brand_name: str
    default_locale: str
    development: bool
    beyond_ascii: bool
    """Whether a mail address may have non-ASCII letters before the @."""
    sends_mail: bool
    """Whether mail reaches people, or the development outbox."""
    ca_file: str | None
    metrics_token: Secret | None
    publish_ahead: int
    rotate_after: int
    tokens: TokenPolicy
    sessions: SessionPolicy
    passwords: PasswordPolicy
    second_factor: SecondFactorPolicy
    throttle: ThrottlePolicy
    sections: Sections
    """The settings of features, by their class: `services.sections.of(SmsPolicy)`."""

    _built: dict[Callable[[Services], Any], Any] = field(
        default_factory=dict["Callable[[Services], Any]", "Any"]
    )

    def __post_init__(self) -> None:
        # a changed copy builds its own services
        structs.force_setattr(self, "_built", {})

    def added(self, slot: Slot[T]) -> tuple[T, ...]:
        """The additions of all features to a slot, in their order."""
        return tuple(item for each in self.additions if each.slot is slot for item in each.build(self))

    def get(self, build: Callable[[Services], T]) -> T:
        """The service that `build` makes; built at the first call, the same object later."""
        if build not in self._built:
            self._built[build] = build(self)
        return cast("T", self._built[build])
