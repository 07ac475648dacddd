"""Template of an e-mail message: its parts in one language, and helpers for its text."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Protocol

from doorward.web.pages.qr import in_groups
from doorward.web.pages.words import Words, calm, device_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link and its label."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageText:
    """A message's parts in their order: subject, paragraphs, code, links, closing paragraph."""

    subject: str
    paragraphs: tuple[str, ...]
    closing: str | None = None
    code: str | None = None
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageWords:
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

    def if_not_you(self) -> tuple[Link, Link]:
        """The links of a notice about a change: to the account's activity, and to a new password."""
        return (
            self.activity(),
            self.link(self.text("If this wasn't you, reset your password at once:"), "/reset"),
        )

    def activity(self) -> Link:
        """The link to the account's activity."""
        return self.link(self.text("See what happened and undo it:"), "/account/activity")

    def when(self, at: int, device: str | None = None) -> str:
        """Time (Unix seconds) and device of an event, as on the devices page."""
        parts = [self.words.moment(at)]
        if device is not None:
            parts.append(calm(device_name(self.words, device)))
        return " · ".join(parts)

    def code_for(self, minutes: int) -> str:
        """The instruction for a code, with the time for which it works."""
        return self.words.counted(
            "Type this code on the page where you started. It works for %(number)s minute.",
            "Type this code on the page where you started. It works for %(number)s minutes.",
            minutes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNotice:
    """Base class of notices about a change of the recipient's account: its time (Unix seconds) and device.

    `subject` and `said` are the texts in English. `said` may name further fields as %(name)s; a notice whose sentences depend on its
    fields in another way overrides `sentences`.
    """

    subject: ClassVar[str]
    said: ClassVar[str]
    at: int
    device: str | None = None

    def sentences(self, say: MessageWords) -> tuple[str, ...]:
        """The paragraphs that say what happened, in the language of `say`."""
        further = {
            one.name: calm(str(getattr(self, one.name)))
            for one in fields(self)
            if f"%({one.name})s" in self.said
        }
        return (say.text(self.said, **further),)

    def text(self, say: MessageWords, /) -> MessageText:
        """What happened, when and where, and the links for undoing it."""
        return MessageText(
            subject=say.text(self.subject),
            paragraphs=(*self.sentences(say), say.when(self.at, self.device)),
            links=say.if_not_you(),
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
