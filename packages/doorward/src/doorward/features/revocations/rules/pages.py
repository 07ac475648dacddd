"""Pages of the feed: the live entries in order of their numbers, with stored text, for APIs that start."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final, final

from msgspec import Struct

from doorward.core.model.revocation import HISTORY_BITS, Revocation, RevocationKind, beside

PAGE: Final = 5000
"""Entries per page: about 350 kB of text."""

NEWS: Final = 256
"""Maximum number of entries after a cursor that are encoded by themselves, and kept until the next entry. An API further behind gets
whole pages, whose text is stored, so that no cursor costs more than none."""

_PLACE: Final = (1 << HISTORY_BITS) - 1
_TEXTS: Final = 16
"""Texts that a page keeps: by edition, and by the API that asks."""

Write = Callable[[Revocation], bytes]
"""Writes an entry in the JSON of one edition of the feed."""


class Part(Struct, frozen=True):
    """A part of the view: the text of its entries, the number up to which it reaches, and whether it is the last one."""

    text: bytes
    seq: int
    last: bool


@final
class FeedPage:
    """Up to `PAGE` entries. The text of an edition is extended by the entries added since the last call."""

    __slots__ = ("_texts", "entries")

    def __init__(self, *, entries: list[Revocation]) -> None:
        self.entries = entries
        self._texts: dict[tuple[str, str | None], tuple[int, bytes]] = {}

    def text(self, edition: str, write: Write, audience: str | None = None) -> bytes:
        """The text of all entries that concern the audience (None: of all entries), joined by commas."""
        name = edition, audience
        done, text = self._texts.pop(name, (0, b""))
        if done < len(self.entries):
            more = join(concerned(self.entries[done:], audience), write)
            text = text + b"," + more if text and more else text or more
        self._texts[name] = len(self.entries), text
        if len(self._texts) > _TEXTS:
            del self._texts[next(iter(self._texts))]
        return text

    def without(self, gone: Callable[[Revocation], bool]) -> FeedPage:
        """The page without the entries for which `gone` is true."""
        return FeedPage(entries=[entry for entry in self.entries if not gone(entry)])


@final
class FeedPages:
    """Entries in order. `seq` is the number up to which all are included, with the history of the database in its upper bits."""

    __slots__ = ("_audiences", "_bounds", "_news", "_pages", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self._pages: list[FeedPage] = []
        self._bounds: dict[tuple[RevocationKind, str], Revocation] = {}
        self._news: dict[tuple[str, int, str | None], bytes] = {}
        self._audiences: set[str] = set()

    def __len__(self) -> int:
        return sum(len(page.entries) for page in self._pages)

    def feed(self, seq: int, entries: Iterable[Revocation]) -> None:
        """Add the entries up to `seq`. An entry with `before` replaces an earlier one that covers less."""
        for entry in entries:
            if entry.before is not None:
                earlier = self._bounds.get((entry.kind, entry.ref))
                if earlier is not None and covers(entry, earlier):
                    self._remove(earlier)
                self._bounds[entry.kind, entry.ref] = entry
            if entry.audience is not None:
                self._audiences.add(entry.audience)
            if not self._pages or len(self._pages[-1].entries) >= PAGE:
                self._pages.append(FeedPage(entries=[]))
            self._pages[-1].entries.append(entry)
        self._news.clear()
        self.seq = seq

    def forget(self, now: int) -> None:
        """Drop entries that concern no live token: pages with at least half of such entries are rebuilt. The others are served a little
        longer."""
        kept: list[FeedPage] = []
        for page in self._pages:
            over = sum(entry.expires_at <= now for entry in page.entries)
            if over * 2 >= len(page.entries):
                alive = page.without(lambda entry: entry.expires_at <= now)
                kept += [alive] if alive.entries else []
            else:
                kept.append(page)
        self._pages = kept
        self._news.clear()
        self._bounds = {name: entry for name, entry in self._bounds.items() if entry.expires_at > now}

    def known(self, audience: str | None) -> str | None:
        """The audience, or "" for all those of which there is no entry: what is kept for one API must not grow with invented ones."""
        return audience if audience is None or audience in self._audiences else ""

    def concerns(self, seq: int, audience: str | None) -> bool:
        """Whether an entry after the number `seq` concerns the audience; of very many entries one is taken to do so."""
        count = self.behind(seq)
        return count > NEWS or (count > 0 and any(concerned(self.since(seq), audience)))

    def after(self, seq: int, edition: str, write: Write, audience: str | None = None) -> Part:
        """The entries after the number `seq` that concern the audience (None: all), at most a page. A page is given whole where that is cheaper, so that some entries may be
        repeated; 0 starts at the first one."""
        number, start = self._place(seq)
        if number == len(self._pages):
            return Part(b"", self.seq, last=True)
        page, last = self._pages[number], number == len(self._pages) - 1
        reached = self.seq if last else beside(self.seq, _last(page))
        if start and last and len(page.entries) - start <= NEWS:
            return Part(self._kept(edition, page.entries[start:], write, audience), reached, last)
        return Part(page.text(edition, write, audience), reached, last)

    def behind(self, seq: int) -> int:
        """The number of entries after the number `seq`."""
        number, start = self._place(seq)
        return sum(len(page.entries) for page in self._pages[number:]) - start

    def news(self, seq: int, edition: str, write: Write) -> bytes:
        """The text of the entries after the number `seq`, at most `NEWS`."""
        return self._kept(edition, self.since(seq), write)

    def since(self, seq: int) -> Sequence[Revocation]:
        """The entries after the number `seq`."""
        number, start = self._place(seq)
        found: list[Revocation] = []
        for page in self._pages[number:]:
            found += page.entries[start:]
            start = 0
        return found

    def whole(self, edition: str, write: Write) -> bytes:
        """The text of all entries, joined by commas."""
        return b",".join(page.text(edition, write) for page in self._pages)

    def _place(self, seq: int) -> tuple[int, int]:
        """The page of the first entry after the number `seq`, and the position in it; both are those behind the last page if there is
        none."""
        place = seq & _PLACE
        number = bisect_right(self._pages, place, key=_last)
        if number == len(self._pages):
            return number, 0
        return number, bisect_right(self._pages[number].entries, place, key=_seq)

    def _kept(
        self, edition: str, entries: Sequence[Revocation], write: Write, audience: str | None = None
    ) -> bytes:
        """The text of the newest entries, shared by all waiting requests."""
        name = edition, len(entries), audience
        text = self._news.get(name)
        if text is None:
            text = self._news[name] = join(concerned(entries, audience), write)
        return text

    def _remove(self, entry: Revocation) -> None:
        number = bisect_right(self._pages, entry.seq - 1, key=_last)
        if number < len(self._pages):
            page = self._pages[number].without(lambda other: other.seq == entry.seq)
            self._pages[number : number + 1] = [page] if page.entries else []


def covers(entry: Revocation, earlier: Revocation) -> bool:
    """Whether an entry with `before` covers an earlier one of the same name."""
    return (entry.before or 0) >= (earlier.before or 0) and entry.expires_at >= earlier.expires_at


def concerned(entries: Iterable[Revocation], audience: str | None) -> Iterable[Revocation]:
    """The entries that concern an audience: its own, and those that name none. All of them for None."""
    if audience is None:
        return entries
    return (entry for entry in entries if entry.audience is None or entry.audience == audience)


def join(entries: Iterable[Revocation], write: Write) -> bytes:
    """The text of some entries, joined by commas."""
    return b",".join(write(entry) for entry in entries)


def _seq(entry: Revocation) -> int:
    return entry.seq


def _last(page: FeedPage) -> int:
    return page.entries[-1].seq
