"""Rendering of a view as an HTML document."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

from doorward.core.lean_import import load_deferring

# with tempfile and shutil
load_deferring("jinja2", "bccache")

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined  # noqa: E402
from markupsafe import Markup  # noqa: E402

from doorward.web.pages import addresses, language, qr  # noqa: E402
from doorward.web.pages.icons import icon  # noqa: E402
from doorward.web.pages.static import VERSION  # noqa: E402
from doorward.web.pages.views.context import PageContext, View  # noqa: E402
from doorward.web.pages.wording import Sentences  # noqa: E402
from doorward.web.pages.words import Words, calm, isolated  # noqa: E402

_SHARED: Final = FileSystemLoader(Path(__file__).parent / "templates")


def _of_feature(name: str) -> str | None:
    """The source of a feature's own template, `package:file.html`: it is in the folder `templates` of the package."""
    package, _, file = name.rpartition(":")
    if not package:
        return None
    return Path(import_module(package).__path__[0], "templates", file).read_text("utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=ChoiceLoader([_SHARED, FunctionLoader(_of_feature)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )


_TOOLS: Final = {
    "icon": icon,
    "bdi": isolated,
    "calm": calm,
    "outward": addresses.outward,
    "host_of": addresses.host_of,
    "with_links": addresses.with_links,
    "qr_image": qr.qr_image,
    "in_groups": qr.in_groups,
    "locales": language.LOCALES,
}


def warm_up(views: Iterable[type[View]] = ()) -> None:
    """Compile every shared template and those of `views`, so that no request has to. Raises on a broken template. Catalogues, which are
    read in 2 to 4 ms each, are not: few servers are asked for all languages."""
    environment = _environment()
    for name in (*_SHARED.list_templates(), *(view.template for view in views)):
        environment.get_template(name)


def render(view: View, ctx: PageContext) -> str:
    """The whole document for `view`, in `ctx.locale`.

    Raises ValueError for a URL to which a page must not lead, and FileNotFoundError for a locale that is not in `language.LOCALES`;
    every other text, however hostile, is shown as text.
    """
    words = Words(ctx.locale)
    prefix = f"/static/{VERSION}/"

    def here(path: str, **query: str | None) -> str:
        return addresses.inward(ctx.issuer, path, **query)

    def time(at: int, shape: str = "moment") -> Markup:
        # A script on the page converts it to the browser's time zone; without the script it is UTC.
        shown = {"moment": words.moment, "date": words.date, "clock": words.clock}[shape](at)
        stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Markup('<time datetime="{}" data-shape="{}">{}</time>').format(stamp, shape, shown)

    def static(name: str) -> str:
        return here(prefix + name)

    return (
        _environment()
        .get_template(view.template)
        .render(
            _TOOLS,
            view=view,
            ctx=ctx,
            dir=language.direction(ctx.locale),
            _=words.html,
            plain=words.text,
            ngettext=words.counted_html,
            duration=words.duration,
            time=time,
            here=here,
            static=static,
            say=Sentences(words, time),
        )
    )
