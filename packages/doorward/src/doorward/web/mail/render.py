"""Rendering of a message as a mail: subject, plain text, HTML."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from doorward.core.model.message import EmailMessage
from doorward.web.mail.message import AccountNotice, MessageTemplate, MessageWords
from doorward.web.pages import language
from doorward.web.pages.addresses import host_of
from doorward.web.pages.words import Words, calm

_FOLDER: Final = Path(__file__).parent / "templates"


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


def render(message: MessageTemplate, *, locale: str, brand_name: str, issuer: str) -> EmailMessage:
    """The mail for `message`. Names in it are shown as text, without control or bidi characters; the subject is one line.

    `locale` is from `language.LOCALES`; `issuer` is the issuer URL, the base of the links in the mail.
    It loads no remote content, so that reading it is not observable. Raises FileNotFoundError for an unknown locale.
    """
    brand = calm(brand_name)
    say = MessageWords(words=Words(locale), brand=brand, issuer=issuer.rstrip("/"))
    text = message.text(say)
    values = {
        "text": text,
        "locale": locale,
        "dir": language.direction(locale),
        "brand": brand,
        "host": host_of(issuer),
    }
    environment = _environment()
    return EmailMessage(
        subject=text.subject,
        text=environment.get_template("message.txt").render(values),
        html=environment.get_template("message.html").render(values),
        notice=message.part(say) if isinstance(message, AccountNotice) else None,
    )
