"""What every page knows besides its own view: who asks, in which language, under which name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from doorward.web.pages.static import VERSION


class View(Protocol):
    """What `render` takes: a frozen dataclass that names its template."""

    template: ClassVar[str]


@dataclass(frozen=True, slots=True)
class PageContext:
    """The surroundings of a page.

    `locale` is a tag from `language.LOCALES` (choose it with `language.choose`); `csrf_token` goes into every form
    that stays on this server; `app_name` is the app that the person came from, or None; `issuer` is the issuer URL,
    whose path is put before every path on the page; `request_id` is shown on error pages; `once` is of this one page, and goes into
    its forms: what is posted with it twice is one deed (`features/repeated_posts/boundary.py`).
    """

    locale: str
    csrf_token: str
    brand_name: str
    issuer: str
    request_id: str
    app_name: str | None = None
    static_version: str = VERSION
    development: bool = False
    once: str = ""
