"""Context of every page besides its own view: browser, language, brand."""

from __future__ import annotations

from typing import ClassVar, Protocol

from msgspec import Struct

from doorward.web.pages.views.why import Why


class View(Protocol):
    """The argument of `render`: a frozen struct that names its template."""

    template: ClassVar[str]


class PageContext(Struct, frozen=True):
    """The context of a page.

    `locale` is a tag from `language.LOCALES` (choose it with `language.choose`); `csrf_token` is part of every form that is posted
    to this server; `app_name` is the app that sent the person, or None; `issuer` is the issuer URL, whose path is put before every
    path on the page; `request_id` is shown on error pages; `once` is unique to this page and part of its forms: two identical posts
    with it count as one (`features/repeated_posts/boundary.py`).
    """

    locale: str
    csrf_token: str
    brand_name: str
    issuer: str
    request_id: str
    app_name: str | None = None
    development: bool = False
    once: str = ""
    why: tuple[Why, ...] = ()
    """Why this sign-in is asked for one more step than others."""
