"""Pages about API keys."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.pages.words import N_

_FOLDER: Final = "doorward.features.api_keys"


class ApiKeyDone(Said):
    """What was done with an API key."""

    ENDED = "api_key_ended", N_("The API key has ended. Nothing can use it any more.")


class ApiKeyWrong(Said):
    """Problems of the forms for API keys."""

    NAME = "api_key_name", N_("Give the key a name of 1 to 60 characters.")
    SCOPES = "api_key_scopes", N_("Choose at least one thing that the key may do.")
    LIFE = "api_key_life", N_("Choose one of the times in the list.")
    NETWORKS = (
        "api_key_networks",
        N_("Enter addresses or networks like 192.0.2.7 or 198.51.100.0/24, with spaces between them."),
    )
    TOO_MANY = "api_key_too_many", N_("You have as many API keys as you can have. End one first.")
    GONE = "api_key_gone", N_("That API key has ended, or it was changed a moment ago. Look at the list.")


class ApiKeyLine(Struct, frozen=True, kw_only=True):
    """One key. `live`: it has neither ended nor expired; `ended`: it ended before it expired; `soon`: it expires within 14 days;
    `old_until`: the secret before works until then. Times are Unix seconds."""

    id: str
    name: str
    api: str
    scopes: tuple[ScopeLine, ...]
    networks: tuple[str, ...]
    created_at: int
    expires_at: int
    used_at: int | None
    live: bool
    ended: bool
    soon: bool
    old_until: int | None


class ApiKeysView(Form, frozen=True):
    """/account/api-keys. Posts `key`, `csrf` to end one. `may_create`: the person has rights that a key could have."""

    template: ClassVar[str] = f"{_FOLDER}:api_keys.html"
    keys: tuple[ApiKeyLine, ...]
    may_create: bool
    done: Said | None = None


class ApiChoice(Struct, frozen=True):
    """An API for which a key can be made."""

    id: str
    name: str


class ChooseApiView(Struct, frozen=True):
    """/account/api-keys/new, where there are several APIs: a link for each."""

    template: ClassVar[str] = f"{_FOLDER}:api_key_choose.html"
    apis: tuple[ApiChoice, ...]


class MayLine(Struct, frozen=True):
    """A permission that a key may have; `field` is that of its checkbox."""

    field: str
    scope: ScopeLine
    chosen: bool


class NewApiKeyView(Form, frozen=True):
    """/account/api-keys/new. Posts `api`, `name`, `days`, `networks`, `csrf`, and the field of each chosen permission."""

    template: ClassVar[str] = f"{_FOLDER}:api_key_new.html"
    api: ApiChoice
    lines: tuple[MayLine, ...]
    name: str = ""
    days: int = 90
    choices: tuple[int, ...] = ()
    networks: str = ""
    name_problem: FormProblem | None = None
    scopes_problem: FormProblem | None = None
    days_problem: FormProblem | None = None
    networks_problem: FormProblem | None = None


class RenewApiKeyView(Form, frozen=True):
    """/account/api-keys/renew. Posts `key`, `overlap` (seconds), `csrf`."""

    template: ClassVar[str] = f"{_FOLDER}:api_key_renew.html"
    key: str
    name: str
    days: int
    choices: tuple[int, ...]


class ShowApiKeyView(Struct, frozen=True):
    """Shown once, in response to making or renewing a key. `token_endpoint` is where it can be exchanged; `old_until`: the key before
    works until then."""

    template: ClassVar[str] = f"{_FOLDER}:api_key_shown.html"
    name: str
    text: str
    api: str
    expires_at: int
    old_until: int | None = None

    def __repr__(self) -> str:
        return "ShowApiKeyView(***)"
