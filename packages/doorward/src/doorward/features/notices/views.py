"""Pages of "This wasn't me"."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from msgspec import Struct

from doorward.web.pages.views.problems import Form
from doorward.web.pages.views.said import Said

_FOLDER: Final = "doorward.features.notices"


class NotMeAsk(Form, frozen=True):
    """/not-me, the page behind the link of a notice. Posts `token`, `answer` (`not_me` or `was_me`), `csrf`. It says nothing of the account:
    whoever has the link need not be its owner."""

    template: ClassVar[str] = f"{_FOLDER}:not_me.html"
    action: str
    token: str


class NotMeDone(Struct, frozen=True):
    """Everything has ended; `flow` is the sign-in that leads on to the third step."""

    template: ClassVar[str] = f"{_FOLDER}:not_me_done.html"
    flow: str


class NoticeClosed(Struct, frozen=True):
    """The link can't be answered. `why`: it was answered before at `at` (Unix seconds), all access has ended since, or it is not valid; or
    `thanks` for an answer "It was me" just now."""

    template: ClassVar[str] = f"{_FOLDER}:not_me_closed.html"
    why: Literal["not_me", "was_me", "ended", "gone", "thanks"]
    at: int = 0


class ReviewView(Struct, frozen=True):
    """/account/review, …/methods and …/apps: the second to the fourth step, for the signed-in person. `ways`: what they sign in with;
    `apps`: the connected apps; `keys`: whether API keys concern them."""

    template: ClassVar[str] = f"{_FOLDER}:review.html"
    step: Literal[2, 3, 4]
    ways: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    keys: bool = False
    done: Said | None = None
