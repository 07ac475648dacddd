"""Rendering of a message as a mail: subject, plain text, HTML."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from doorward.web.mail.message import MessageTemplate, MessageWords
from doorward.web.pages import language
from doorward.web.pages.addresses import host_of
from doorward.web.pages.words import Words, calm

_FOLDER: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContext:
    """`locale` from `language.LOCALES`; `issuer` is the issuer URL, the base of the links in the mail."""

    locale: str
    brand_name: str
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to send as multipart/alternative. `subject` is one line, whatever the names in it contain."""

    subject: str
    text: str
    html: str


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def render(message: MessageTemplate, ctx: MailContext) -> Mail:
    """The mail for `message` in `ctx.locale`. Names in it are shown as text, without control or bidi characters.

    It loads no remote content, so that reading it is not observable. Raises FileNotFoundError for an unknown locale.
    """
    brand = calm(ctx.brand_name)
    text = message.text(MessageWords(words=Words(ctx.locale), brand=brand, issuer=ctx.issuer.rstrip("/")))
    values = {
        "text": text,
        "locale": ctx.locale,
        "dir": language.direction(ctx.locale),
        "brand": brand,
        "host": host_of(ctx.issuer),
    }
    environment = _environment()
    return Mail(
        subject=text.subject,
        text=environment.get_template("message.txt").render(values),
        html=environment.get_template("message.html").render(values),
    )
