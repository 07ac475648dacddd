"""Several notices to one owner in one mail: the most important first, repeated ones once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from msgspec import Struct, structs

from doorward.core.model.message import NoticePart
from doorward.web.mail.message import MessageText, MessageWords

MOST_PARTS: Final = 10
"""Parts of one mail; the activity page has all."""
MOST_SEEN: Final = 3
"""Occurrences of one part that are told with time and place."""


class NoticeBundle(Struct, frozen=True, kw_only=True):
    """A mail of `parts` in the order in which they are to be told. `number` is that of all notices that it stands for."""

    kind: ClassVar[str] = "owner_notices"
    parts: tuple[NoticePart, ...]
    number: int

    def text(self, say: MessageWords, /) -> MessageText:
        """Each part with its title, and the links of the first one."""
        found = [_repeated(say, alike) for alike in _alike(self.parts)]
        told, first = found[:MOST_PARTS], self.parts[0]
        others = len(found) - 1
        subject = first.title
        if others:
            subject = say.words.counted(
                "%(first)s, and %(number)s more notice",
                "%(first)s, and %(number)s more notices",
                others,
                first=first.title,
            )
        more = len(found) > len(told) or self.number > len(self.parts)
        return MessageText(
            subject=subject,
            paragraphs=(say.text("Several things happened with your account at %(brand)s."),)
            if others
            else (),
            parts=tuple(told),
            closing=say.text("More happened than this message has room for. Your activity shows all of it.")
            if more
            else None,
            links=say.if_not_you(first.not_me),
        )


def _alike(parts: Sequence[NoticePart]) -> list[list[NoticePart]]:
    """Those that say the same, at the place of the first of them."""
    found: dict[tuple[object, ...], list[NoticePart]] = {}
    for part in parts:
        found.setdefault((part.title, part.sentences, part.closing), []).append(part)
    return list(found.values())


def _repeated(say: MessageWords, alike: Sequence[NoticePart]) -> NoticePart:
    newest = sorted(alike, key=lambda part: part.at, reverse=True)
    seen = [line for part in newest[:MOST_SEEN] for line in part.seen]
    if (more := len(newest) - MOST_SEEN) > 0:
        seen.append(say.words.counted("And %(number)s more time.", "And %(number)s more times.", more))
    return structs.replace(newest[0], seen=tuple(seen))
