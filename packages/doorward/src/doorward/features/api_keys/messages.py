"""E-mail messages about API keys. None of them holds a key."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from doorward.web.mail.message import AccountNotice, MessageText, MessageWords
from doorward.web.pages.words import N_, calm


class ApiKeyCreated(AccountNotice, frozen=True, kw_only=True):
    """Notice of a new key `key` for the API `api`."""

    kind: ClassVar[str] = "api_key_created"
    subject: ClassVar[str] = N_("A new API key of your account at %(brand)s")
    said: ClassVar[str] = N_(
        "The API key “%(key)s” was created. Whoever has it can use %(api)s in your name, without signing in."
    )
    key: str
    api: str


class ApiKeyRotated(AccountNotice, frozen=True, kw_only=True):
    """Notice of a new secret of the key `key`."""

    kind: ClassVar[str] = "api_key_rotated"
    subject: ClassVar[str] = N_("An API key of your account at %(brand)s was renewed")
    said: ClassVar[str] = N_("The API key “%(key)s” for %(api)s was renewed, and works for longer.")
    key: str
    api: str


class ApiKeyExpires(Struct, frozen=True, kw_only=True):
    """Warning that the key `key` for `api` expires in `days` days, at `at` (Unix seconds)."""

    kind: ClassVar[str] = "api_key_expires"
    key: str
    api: str
    days: int
    at: int

    def text(self, say: MessageWords, /) -> MessageText:
        """When it expires, and how to renew it."""
        key, api = calm(self.key), calm(self.api)
        words = say.words
        return MessageText(
            subject=words.counted(
                "Your API key “%(key)s” expires in %(number)s day",
                "Your API key “%(key)s” expires in %(number)s days",
                self.days,
                key=key,
            ),
            paragraphs=(
                say.text("The API key “%(key)s” for %(api)s stops working at this time:", key=key, api=api),
                say.when(self.at),
                say.text("Renew it before, and put the new key where the old one is used."),
            ),
            closing=say.text("If you don't need it any more, there is nothing to do."),
            links=(say.link(say.text("See your API keys:"), "/account/api-keys"),),
        )


MESSAGES: tuple[type[ApiKeyCreated], type[ApiKeyRotated], type[ApiKeyExpires]] = (
    ApiKeyCreated,
    ApiKeyRotated,
    ApiKeyExpires,
)
