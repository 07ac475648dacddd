"""Local view of the issuer's revocation feed: which tokens are revoked. It receives updates and never fetches."""

import hashlib
from collections.abc import Callable, Collection
from typing import Any, Final, Literal

from msgspec import DecodeError, Struct, ValidationError, convert, field, structs

from doorward_verify.encoding import Malformed, b64url_decode, b64url_encode, json_object
from doorward_verify.principal import Principal
from doorward_verify.revoked_table import KEY_BYTES, LONGEST, RevokedTable, both, merged, packed

MAX_FEED_BYTES: Final = 32 * 1024 * 1024
FORGET_EVERY: Final = 60
SNAPSHOT_TYP: Final = "revocation-snapshot+jwt"
KINDS: Final = frozenset({"jti", "grant", "sid", "sub", "client"})
BOUNDED: Final = frozenset({"sub", "client"})
HIDDEN_BYTES: Final = KEY_BYTES
KEPT_AFTER: Final = 60
"""Seconds that an entry is kept for the largest clock skew: a token may be accepted that long after its expiry."""
MOST_NEWS: Final = 16_384
NEWS_BYTES: Final = 170
"""Bytes of an entry in the dictionary, measured."""
MAX_SALT_CHARS: Final = 128


class InvalidFeed(ValueError):
    """The feed's answer cannot be read. The message says why."""


class Entry(Struct, frozen=True):
    """One revocation. `before` (sub and client): tokens issued up to and in that second. After `exp` it can
    be dropped."""

    kind: Literal["jti", "grant", "sid", "sub", "client"]
    id: str
    exp: int
    before: int | None = None


class Feed(Struct, frozen=True):
    """One answer of the feed. `reset`: the whole view begins with this page and replaces the old one. `more`:
    the next page follows at once. With a `salt` the entries' ids are hashed (`hidden`), without one they are
    plain, as in older issuers. `snapshots` are addresses of files with which the view begins."""

    cursor: str
    reset: bool
    entries: list[Entry]
    unknown_kinds: tuple[str, ...] = ()
    more: bool = False
    salt: str | None = None
    snapshots: tuple[str, ...] = ()


class _Raw(Struct, frozen=True):
    cursor: str
    reset: bool = False
    entries: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    more: bool = False
    salt: str | None = None
    snapshots: tuple[str, ...] = ()


class _View(Struct, frozen=True):
    """Tables, and what came since: `joining` is being merged into them, `news` still grows. `kinds` are those of which there may be
    entries."""

    salt: str | None
    kinds: set[str]
    begun: dict[str, Any]
    tables: tuple[RevokedTable, ...] = ()
    joining: dict[bytes, int] = {}
    news: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def __len__(self) -> int:
        return sum(map(len, self.tables)) + len(self.joining) + len(self.news)

    def before(self, kind: str, id_: str) -> int:
        # the state after salt and kind is the same for all ids
        state = self.begun[kind].copy()
        try:
            state.update(id_.encode())
        except UnicodeEncodeError:
            state.update(id_.encode("utf-8", "surrogatepass"))
        digest = state.digest()
        found = -1
        for table in self.tables:
            if (later := table.before(digest)) > found:
                found = later
        if self.news or self.joining:
            key = digest[:HIDDEN_BYTES]
            found = max(found, self.news.get(key, -1) >> 32, self.joining.get(key, -1) >> 32)
        return found


def _view(salt: str | None, kinds: set[str], tables: tuple[RevokedTable, ...] = ()) -> _View:
    begun = {kind: _begun(salt or "", kind) for kind in KINDS}
    return _View(salt, kinds, begun, tables)


class Merge(Struct, frozen=True):
    """A merge of the news into one table, to be done beside the view; `table` is the result."""

    tables: tuple[RevokedTable, ...]
    joining: dict[bytes, int]
    line: int

    def table(self, rest: Callable[[], object]) -> RevokedTable:
        """The merged table. `rest` is called again and again meanwhile."""
        return merged(self.tables, self.joining, self.line, rest)


def hidden(salt: str, kind: str, id_: str) -> str:
    """An id as a feed with a salt writes it: base64url of the first 16 bytes of SHA-256 of salt, kind and id
    joined by colons."""
    return b64url_encode(id_hash(salt, kind, id_))


def id_hash(salt: str, kind: str, id_: str) -> bytes:
    """The first 16 bytes of SHA-256 of salt, kind and id joined by colons."""
    state = _begun(salt, kind)
    state.update(id_.encode("utf-8", "surrogatepass"))
    return state.digest()[:HIDDEN_BYTES]


def _begun(salt: str, kind: str) -> Any:
    return hashlib.sha256(f"{salt}:{kind}:".encode("utf-8", "surrogatepass"))


def parse_feed(document: bytes) -> Feed:
    """Parse one answer of the feed. Raises `InvalidFeed`.

    An entry of an unknown kind, from a newer server, is left out and named in `unknown_kinds`. Any other
    deviation makes the whole answer invalid, because a skipped entry is a revoked token that is accepted.
    """
    if len(document) > MAX_FEED_BYTES:
        raise InvalidFeed(f"the revocation feed is bigger than {MAX_FEED_BYTES} bytes")
    try:
        raw = convert(json_object(document), _Raw)
        known = [entry for entry in raw.entries if entry.get("kind") in KINDS]
        entries = convert(known, list[Entry])
    except (Malformed, ValidationError, DecodeError, TypeError) as error:
        raise InvalidFeed(f"the revocation feed is not as agreed: {error}") from None
    if any(entry.before is None for entry in entries if entry.kind in BOUNDED):
        raise InvalidFeed("the revocation feed is not as agreed: `before` is missing")
    if raw.salt is not None:
        _check_hidden(raw.salt, entries)
    unknown = sorted({str(entry.get("kind"))[:32] for entry in raw.entries if entry.get("kind") not in KINDS})
    return Feed(raw.cursor, raw.reset, entries, tuple(unknown), raw.more, raw.salt, raw.snapshots)


def _check_hidden(salt: str, entries: list[Entry]) -> None:
    if not 0 < len(salt) <= MAX_SALT_CHARS:
        raise InvalidFeed(
            f"the revocation feed is not as agreed: a salt has 1 to {MAX_SALT_CHARS} characters"
        )
    try:
        if all(len(b64url_decode(entry.id)) == HIDDEN_BYTES for entry in entries):
            return
    except Malformed:
        pass
    raise InvalidFeed(f"the revocation feed is not as agreed: an id is not the hash of {HIDDEN_BYTES} bytes")


class RevocationView:
    """The current revocations. One thread updates the view; any number of threads read it.

    `generation` grows after each change, so that a result from an older generation is checked again;
    `fresh_until` is when the view becomes too old to be relied upon (never, when no feed is used). `answered_at` is when it last equalled
    the issuer's, `trusted_until` until when it may be used where nothing better is known, and `error` why the last attempt failed.

    Entries are kept as hashes of 16 bytes in a compact table (`revoked_table`), the newest ones in a dictionary, until a `Merge` adds
    them to the table.
    """

    __slots__ = (
        "_coming",
        "_forgotten_at",
        "_view",
        "answered_at",
        "cursor",
        "error",
        "fresh_until",
        "generation",
        "trusted_until",
    )

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.generation = 0
        self.fresh_until = self.trusted_until = float("-inf")
        self.answered_at: float | None = None
        self.error: str | None = None
        self._view = _view(None, set())
        self._coming: _View | None = None
        self._forgotten_at = 0.0

    def __len__(self) -> int:
        return len(self._view)

    @property
    def size(self) -> int:
        """Bytes of memory that the entries take, about."""
        view = self._view
        return sum(table.size for table in view.tables) + NEWS_BYTES * (len(view.joining) + len(view.news))

    @property
    def incomplete(self) -> bool:
        """Whether a new view has begun whose last page is still missing."""
        return self._coming is not None

    def distrust(self) -> None:
        """Stop relying on the view until the whole view has arrived again."""
        self.cursor = None
        self.fresh_until = self.trusted_until = float("-inf")
        self.answered_at = None
        self._coming = None

    def apply(
        self,
        feed: Feed,
        now: float,
        tables: tuple[RevokedTable, ...] = (),
        kinds: Collection[str] = KINDS,
    ) -> None:
        """Apply one answer; one that resets the view may begin with `tables`, whose entries are of `kinds`. The view changes before the generation, so a reader of the
        old view checks again. Raises `InvalidFeed`.

        The pages of a new view are collected beside the current one, which is used until the last page has
        arrived: half a view would accept tokens that the other half revokes.
        """
        if feed.reset or self.cursor is None:
            self._coming = _view(feed.salt, set(kinds) if tables else set(), tables)
        view = self._view if self._coming is None else self._coming
        if feed.salt != view.salt:
            self.cursor = None
            raise InvalidFeed("the revocation feed changed its salt without beginning anew")
        for entry in feed.entries:
            _add(view, entry)
        self.cursor = feed.cursor
        if self._coming is None:
            changed = bool(feed.entries)
        elif feed.more:
            if len(view.news) >= MOST_NEWS:  # a view in pages is too big for a dictionary
                self._coming = structs.replace(view, tables=(*view.tables, merged((), view.news, 0)), news={})
            return
        else:
            changed = len(view) > 0 or len(self) > 0
            self._view, self._coming = view, None
        if changed:
            self.generation += 1
        if now - self._forgotten_at >= FORGET_EVERY or now < self._forgotten_at:
            line, view = int(now) - KEPT_AFTER, self._view
            alive = {key: value for key, value in view.news.items() if value & LONGEST >= line}
            self._view = structs.replace(view, news=alive)
            self._forgotten_at = now

    def merge(self, now: float) -> Merge | None:
        """A merge that is due at `now`: there are many news, or several tables, or a quarter of the entries has expired. Each of them
        may be done in another thread; give its table to `take`."""
        view, line = self._view, int(now) - KEPT_AFTER
        if not view.joining:
            over = any(table.stale_at < line for table in view.tables)
            if len(view.news) < MOST_NEWS and len(view.tables) < 2 and not over:
                return None
            # kept readable in `joining` until the merged table is there
            view = structs.replace(view, joining=view.news, news={})
            self._view = view
        return Merge(view.tables, view.joining, line)

    def take(self, merge: Merge, table: RevokedTable) -> None:
        """Use the result of a merge, unless the view was replaced meanwhile."""
        view = self._view
        if view.tables == merge.tables and view.joining is merge.joining:
            self._view = structs.replace(view, tables=(table,) if len(table) else (), joining={})

    def before(self, kind: str, id_: str) -> int:
        """Until when the tokens of this id were issued that are revoked (seconds); -1 when none are."""
        return self._view.before(kind, id_)

    def revokes(self, principal: Principal) -> bool:
        """Whether the principal's token is revoked by its id, grant, session, subject or app."""
        view = self._view
        kinds = view.kinds
        if not kinds:
            return False
        at = principal.issued_at
        sid = principal.sid
        grant, dot, _ = principal.jti.partition(".")
        # a kind without entries needs no hash
        return (
            ("grant" in kinds and bool(dot) and view.before("grant", grant) >= at)
            or ("sid" in kinds and sid is not None and view.before("sid", sid) >= at)
            or ("sub" in kinds and view.before("sub", principal.sub) >= at)
            or ("client" in kinds and view.before("client", principal.client_id) >= at)
            or ("jti" in kinds and view.before("jti", principal.jti) >= at)
        )


def _add(view: _View, entry: Entry) -> None:
    key = (
        id_hash("", entry.kind, entry.id) if view.salt is None else b64url_decode(entry.id)
    )  # plain ids: an older issuer
    value = packed(entry.before if entry.kind in BOUNDED else None, entry.exp)
    earlier = view.news.get(key)
    view.news[key] = value if earlier is None else both(earlier, value)
    view.kinds.add(entry.kind)
