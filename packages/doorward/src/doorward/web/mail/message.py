"""Template of an e-mail message: its parts in one language, and helpers for its text."""

from __future__ import annotations

from typing import ClassVar, Final, Protocol
from urllib.parse import quote

from msgspec import Struct

from doorward.core.model.message import NoticePart
from doorward.core.model.place import Place
from doorward.web.pages.qr import in_groups
from doorward.web.pages.words import Words, calm, device_name

ALARM: Final = 3
"""The weight of notices that are sent at once: somebody else may have the account, or a part of it."""
CHANGE: Final = 2
"""Of changes to what opens the account."""
USE: Final = 1
"""Of uses of the account."""


class Link(Struct, frozen=True, kw_only=True):
    """A link and its label."""

    label: str
    url: str


class MessageText(Struct, frozen=True, kw_only=True):
    """A message's parts in their order: subject, paragraphs, code, links, closing paragraph."""

    subject: str
    paragraphs: tuple[str, ...]
    closing: str | None = None
    code: str | None = None
    links: tuple[Link, ...] = ()
    parts: tuple[NoticePart, ...] = ()
    """Notices with a title each, between the paragraphs and the links."""


class MessageWords(Struct, frozen=True, kw_only=True):
    """The language of one message, and texts shared by many messages.

    `brand` is the operator's name for the service, without control characters; `issuer` is the issuer URL without a trailing slash,
    the base of links to the account pages.
    """

    words: Words
    brand: str
    issuer: str

    def text(self, message: str, /, **values: object) -> str:
        """A translated sentence; `values` replace %(name)s. The brand's name is available as %(brand)s."""
        return self.words.text(message, **{"brand": self.brand, **values})

    def link(self, label: str, path: str) -> Link:
        """A link to a page of this server. `label` is translated already; `path` begins with a slash."""
        return Link(label=label, url=f"{self.issuer}{path}")

    def if_not_you(self, not_me: str = "") -> tuple[Link, ...]:
        """The links of a notice: to the page "This wasn't me" at `not_me`, if the notice has one, and to the account's activity."""
        link = Link(
            label=self.text(
                "If this wasn't you, open this page and end all access at the press of a button:"
            ),
            url=not_me,
        )
        return (*((link,) if not_me else ()), self.activity())

    def activity(self) -> Link:
        """The link to the account's activity."""
        return self.link(self.text("See what happened and undo it:"), "/account/activity")

    def when(self, at: int, device: str | None = None) -> str:
        """Time (Unix seconds) and device of an event, as on the devices page."""
        parts = [self.words.moment(at)]
        if device is not None:
            parts.append(calm(device_name(self.words, device)))
        return " · ".join(parts)

    def where(self, address: str, place: Place | None) -> str:
        """The place and the IP address of somebody, or that the place is not known."""
        if place is None:
            return self.text("From an unknown place (%(address)s)", address=calm(address))
        return self.text("From %(place)s (%(address)s)", place=place_name(place), address=calm(address))

    def code_for(self, minutes: int) -> str:
        """The instruction for a code, with the time for which it works."""
        return self.words.counted(
            "Type this code on the page where you started. It works for %(number)s minute.",
            "Type this code on the page where you started. It works for %(number)s minutes.",
            minutes,
        )


class AccountNotice(Struct, frozen=True, kw_only=True):
    """Base class of notices to the owner of an account: the time of the event (Unix seconds), the device, the IP address `origin` and its
    place. `not_me` is the token of the link "This wasn't me".

    `subject`, `said` and `closing` are the texts in English. `said` may name further fields as %(name)s; a notice whose sentences depend on
    its fields in another way overrides `sentences`, one whose subject does, `title`. `weight` orders notices in one mail.
    """

    subject: ClassVar[str]
    said: ClassVar[str]
    closing: ClassVar[str | None] = None
    weight: ClassVar[int] = CHANGE
    at: int
    device: str | None = None
    origin: str = ""
    place: Place | None = None
    not_me: str = ""

    def title(self, say: MessageWords) -> str:
        """The subject, in the language of `say`."""
        return say.text(self.subject)

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """The paragraphs that say what happened, in the language of `say`."""
        further = {
            name: calm(str(getattr(self, name)))
            for name in self.__struct_fields__
            if f"%({name})s" in self.said
        }
        return (say.text(self.said, **further),)

    def part(self, say: MessageWords, /) -> NoticePart:
        """What happened, when and where, as a part of a mail."""
        where = (say.where(self.origin, self.place),) if self.origin else ()
        return NoticePart(
            title=self.title(say),
            sentences=self.sentences(say),
            seen=(say.when(self.at, self.device), *where),
            at=self.at,
            weight=self.weight,
            locale=say.words.locale,
            not_me=f"{say.issuer}/not-me?token={quote(self.not_me)}" if self.not_me else "",
            closing=None if self.closing is None else say.text(self.closing),
        )

    def text(self, say: MessageWords, /) -> MessageText:
        """The same as a mail of its own, with the links for undoing it."""
        part = self.part(say)
        return MessageText(
            subject=part.title,
            paragraphs=(*part.sentences, *part.seen),
            closing=part.closing,
            links=say.if_not_you(part.not_me),
        )


class MessageTemplate(Protocol):
    """One kind of message: a class whose fields are the values passed to `MailQueue.write`.

    `kind` is stored with each message in the outbox, so it never changes. `calm(…)` is needed around each name chosen by a person or
    an app.
    """

    kind: ClassVar[str]

    def text(self, say: MessageWords, /) -> MessageText:
        """The message in the language of `say`."""
        ...


def grouped(code: str) -> str:
    """A code in groups of three digits that keep their order in right-to-left text: two numbers with a space between them could be
    swapped, a no-break space is part of the number (UAX #9, rule W4)."""
    return in_groups(code, 3).replace(" ", "\u00a0")


def place_name(place: Place) -> str:
    """City, region and country, as far as they are known."""
    return ", ".join(calm(one) for one in (place.city, place.region, place.country) if one)
