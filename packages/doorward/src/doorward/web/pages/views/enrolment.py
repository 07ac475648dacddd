"""Pages on which a person sets up a second factor inside a sign-in."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

from doorward.web.pages.views.problems import Form


class KindOffer(Struct, frozen=True):
    """One kind of factor: its id in the page, the text of its link, one sentence about it, and the path of its page."""

    id: str
    label: str
    help: str
    path: str


class EnrolmentChoice(Form, frozen=True):
    """/sign-in/enrol. Posts `csrf`, `flow` to /sign-in/enrol/later.

    `account` is the address of the person; `because` says who demands a second step; `grace_until` (Unix seconds): until when it may be
    put off, None if not.
    """

    template: ClassVar[str] = "enrolment.html"
    account: str
    flow: str
    because: Literal["enrolled", "policy", "role", "app", "operator", "risk"]
    offers: tuple[KindOffer, ...]
    grace_until: int | None = None
