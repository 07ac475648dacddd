"""Has this token been revoked? The local view of the issuer's revocation feed: it is fed and never fetches."""

from typing import Final, Literal

from msgspec import DecodeError, Struct, ValidationError, convert, field

from doorward_verify.encoding import Malformed, json_object
from doorward_verify.principal import Principal

MAX_FEED_BYTES: Final = 32 * 1024 * 1024
FORGET_EVERY: Final = 60
KINDS: Final = frozenset({"jti", "grant", "sid", "sub", "client"})


class InvalidFeed(ValueError):
    """The feed's answer cannot be read. The message says why."""


class Entry(Struct, frozen=True):
    """One revocation. `before` (sub and client): tokens issued up to and in that second. After `exp` it can be forgotten."""

    kind: Literal["jti", "grant", "sid", "sub", "client"]
    id: str
    exp: int
    before: int | None = None


class Feed(Struct, frozen=True):
    """One answer of the feed. `reset`: it is the whole live view and replaces what was there."""

    cursor: str
    reset: bool
    entries: list[Entry]
    unknown_kinds: tuple[str, ...] = ()


class _Raw(Struct, frozen=True):
    cursor: str
    reset: bool = False
    entries: list[dict[str, object]] = field(default_factory=list[dict[str, object]])


class _View(Struct, frozen=True):
    ids: dict[str, dict[str, int]]
    before: dict[str, dict[str, tuple[int, int]]]


def parse_feed(document: bytes) -> Feed:
    """Read one answer of the feed. Raises `InvalidFeed`.

    An entry of a kind that a newer server may have is left out and named in `unknown_kinds`; anything else that is not
    as agreed makes the whole answer invalid, because an entry that is skipped is a revoked token that is accepted.
    """
    if len(document) > MAX_FEED_BYTES:
        raise InvalidFeed(f"the revocation feed is bigger than {MAX_FEED_BYTES} bytes")
    try:
        raw = convert(json_object(document), _Raw)
        known = [entry for entry in raw.entries if entry.get("kind") in KINDS]
        entries = convert(known, list[Entry])
    except (Malformed, ValidationError, DecodeError, TypeError) as error:
        raise InvalidFeed(f"the revocation feed is not as agreed: {error}") from None
    if any(entry.before is None for entry in entries if entry.kind in ("sub", "client")):
        raise InvalidFeed("the revocation feed is not as agreed: `before` is missing")
    unknown = sorted({str(entry.get("kind"))[:32] for entry in raw.entries if entry.get("kind") not in KINDS})
    return Feed(raw.cursor, raw.reset, entries, tuple(unknown))


class RevocationView:
    """What is revoked right now. One thread feeds it; any number ask.

    `generation` grows after each change, so that a verdict reached under an older one is looked at again; `fresh_until`
    is when the view becomes too old to be relied upon (never, where no feed is consulted).
    """

    __slots__ = ("_forgotten_at", "_view", "cursor", "fresh_until", "generation")

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.generation = 0
        self.fresh_until = float("-inf")
        self._view = _empty()
        self._forgotten_at = 0.0

    def __len__(self) -> int:
        view = self._view
        return sum(map(len, view.ids.values())) + sum(map(len, view.before.values()))

    def distrust(self) -> None:
        """Rely on it no more until the whole view has come in anew."""
        self.cursor = None
        self.fresh_until = float("-inf")

    def apply(self, feed: Feed, now: float) -> None:
        """Take in one answer. The view is changed before the generation: who read the old one looks again."""
        whole = feed.reset or self.cursor is None
        changed = bool(feed.entries) or (whole and len(self) > 0)
        view = _empty() if whole else self._view
        for entry in feed.entries:
            _add(view, entry)
        self._view = view
        self.cursor = feed.cursor
        if changed:
            self.generation += 1
        if now - self._forgotten_at >= FORGET_EVERY or now < self._forgotten_at:
            self._view = _without_expired(self._view, now)
            self._forgotten_at = now

    def revokes(self, principal: Principal) -> bool:
        """Whether the token of this principal is revoked, by its id, its grant, its session, its subject or its app."""
        if not self.generation:  # nothing was revoked yet
            return False
        view = self._view
        ids = view.ids
        jti = principal.jti
        grant, dot, _ = jti.partition(".")
        if jti in ids["jti"] or (dot and grant in ids["grant"]) or principal.sid in ids["sid"]:
            return True
        issued_at = principal.issued_at
        sub = view.before["sub"].get(principal.sub)
        if sub is not None and issued_at <= sub[0]:
            return True
        client = view.before["client"].get(principal.client_id)
        return client is not None and issued_at <= client[0]


def _empty() -> _View:
    return _View({"jti": {}, "grant": {}, "sid": {}}, {"sub": {}, "client": {}})


def _add(view: _View, entry: Entry) -> None:
    if entry.before is None or entry.kind in view.ids:
        ids = view.ids[entry.kind]
        ids[entry.id] = max(entry.exp, ids.get(entry.id, 0))
        return
    before = view.before[entry.kind]
    earlier = before.get(entry.id, (0, 0))
    before[entry.id] = (max(entry.before, earlier[0]), max(entry.exp, earlier[1]))


def _without_expired(view: _View, now: float) -> _View:
    # Kept longer by the widest skew: a token may be accepted that long past its own end.
    line = now - 60
    return _View(
        {kind: {id_: exp for id_, exp in ids.items() if exp >= line} for kind, ids in view.ids.items()},
        {
            kind: {id_: both for id_, both in before.items() if both[1] >= line}
            for kind, before in view.before.items()
        },
    )
