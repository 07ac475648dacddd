"""The live entries of the feed in the order of their numbers, cut into pages whose text is kept: what an API reads that starts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final, final

from msgspec import Struct

from doorward.core.model.revocation import HISTORY_BITS, Revocation, RevocationKind, beside

PAGE: Final = 5000
"""Entries on a page: some 350 kB of text."""

NEWS: Final = 256
"""So many entries after a cursor are put together by themselves, and kept until the next one comes. Who is further behind gets whole
pages, whose text is there already: no cursor costs more than none."""

_PLACE: Final = (1 << HISTORY_BITS) - 1
_EDITIONS: Final = 2

Write = Callable[[Revocation], bytes]
"""An entry as one edition of the feed carries it, in JSON."""


class Part(Struct, frozen=True):
    """A piece of the view: the text of its entries, the number up to which it reaches, and whether it is the last one."""

    text: bytes
    seq: int
    last: bool


@final
class Page:
    """Up to `PAGE` entries. Of an edition, text is made for what came since it was last asked for."""

    __slots__ = ("_texts", "entries")

    def __init__(self, *, entries: list[Revocation]) -> None:
        self.entries = entries
        self._texts: dict[str, tuple[int, bytes]] = {}

    def text(self, edition: str, write: Write) -> bytes:
        """All entries, with commas between."""
        done, text = self._texts.pop(edition, (0, b""))
        if done < len(self.entries):
            more = join(self.entries[done:], write)
            text = text + b"," + more if text else more
        self._texts[edition] = len(self.entries), text
        if len(self._texts) > _EDITIONS:
            del self._texts[next(iter(self._texts))]
        return text

    def without(self, gone: Callable[[Revocation], bool]) -> Page:
        """The page with only the entries that are not `gone`."""
        return Page(entries=[entry for entry in self.entries if not gone(entry)])


@final
class FeedPages:
    """Fed in the order of `seq`, which is the number up to which everything is here, with the history of the database above it."""

    __slots__ = ("_bounds", "_news", "_pages", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self._pages: list[Page] = []
        self._bounds: dict[tuple[RevocationKind, str], Revocation] = {}
        self._news: dict[tuple[str, int], bytes] = {}

    def __len__(self) -> int:
        return sum(len(page.entries) for page in self._pages)

    def feed(self, seq: int, entries: Iterable[Revocation]) -> None:
        """Take in what came up to `seq`. An entry with `before` takes the place of an earlier one that reaches less far."""
        for entry in entries:
            if entry.before is not None:
                earlier = self._bounds.get((entry.kind, entry.ref))
                if earlier is not None and covers(entry, earlier):
                    self._remove(earlier)
                self._bounds[entry.kind, entry.ref] = entry
            if not self._pages or len(self._pages[-1].entries) >= PAGE:
                self._pages.append(Page(entries=[]))
            self._pages[-1].entries.append(entry)
        self._news.clear()
        self.seq = seq

    def forget(self, now: int) -> None:
        """Drop what can concern no token that is still alive: pages where at least half of it is so are written anew. The rest is
        told a little longer."""
        kept: list[Page] = []
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

    def after(self, seq: int, edition: str, write: Write) -> Part:
        """What follows the number `seq`, at most a page. A page is given whole where that is cheaper, so that some entries may come
        twice; 0 begins at the first one."""
        place = seq & _PLACE
        number = bisect_right(self._pages, place, key=_last)
        if number == len(self._pages):
            return Part(b"", self.seq, last=True)
        page, last = self._pages[number], number == len(self._pages) - 1
        reached = self.seq if last else beside(self.seq, _last(page))
        start = bisect_right(page.entries, place, key=_seq)
        if start and last and len(page.entries) - start <= NEWS:
            return Part(self._kept(edition, page.entries[start:], write), reached, last)
        return Part(page.text(edition, write), reached, last)

    def behind(self, seq: int) -> int:
        """How many entries follow the number `seq`."""
        place = seq & _PLACE
        number = bisect_right(self._pages, place, key=_last)
        if number == len(self._pages):
            return 0
        first, *others = self._pages[number:]
        after = len(first.entries) - bisect_right(first.entries, place, key=_seq)
        return after + sum(len(page.entries) for page in others)

    def news(self, seq: int, edition: str, write: Write) -> bytes:
        """The text of the entries that follow the number `seq`, which are `NEWS` at most."""
        return self._kept(edition, self.since(seq), write)

    def since(self, seq: int) -> Sequence[Revocation]:
        """The entries that follow the number `seq`."""
        place = seq & _PLACE
        number = bisect_right(self._pages, place, key=_last)
        if number == len(self._pages):
            return []
        first, *others = (page.entries for page in self._pages[number:])
        return [
            *first[bisect_right(first, place, key=_seq) :],
            *(one for entries in others for one in entries),
        ]

    def whole(self, edition: str, write: Write) -> bytes:
        """Everything, with commas between."""
        return b",".join(page.text(edition, write) for page in self._pages)

    def _kept(self, edition: str, entries: Sequence[Revocation], write: Write) -> bytes:
        """The text of the newest entries: all who wait hear the same."""
        name = edition, len(entries)
        text = self._news.get(name)
        if text is None:
            text = self._news[name] = join(entries, write)
        return text

    def _remove(self, entry: Revocation) -> None:
        number = bisect_right(self._pages, entry.seq - 1, key=_last)
        if number < len(self._pages):
            page = self._pages[number].without(lambda other: other.seq == entry.seq)
            self._pages[number : number + 1] = [page] if page.entries else []


def covers(entry: Revocation, earlier: Revocation) -> bool:
    """Whether an entry with `before` says all that an earlier one of the same name says."""
    return (entry.before or 0) >= (earlier.before or 0) and entry.expires_at >= earlier.expires_at


def join(entries: Iterable[Revocation], write: Write) -> bytes:
    """The text of some entries, with commas between."""
    return b",".join(write(entry) for entry in entries)


def _seq(entry: Revocation) -> int:
    return entry.seq


def _last(page: Page) -> int:
    return page.entries[-1].seq
