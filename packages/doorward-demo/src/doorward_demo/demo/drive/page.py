"""Page as a browser without scripts reads it: its forms, meta refresh and text."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Final

from msgspec import Struct, field

_VOID: Final = frozenset({"meta", "link", "input", "br", "hr", "img", "path", "rect", "circle"})


class Form(Struct):
    """One form: its target, its field values, and the options that a passkey's script reads."""

    id: str
    action: str
    fields: dict[str, str] = field(default_factory=dict[str, str])
    options: str = ""


class Article(Struct):
    """One message in the outbox."""

    heading: str = ""
    code: str = ""
    text: str = ""


class Page(HTMLParser):
    """The parsed page. `refresh` is the target of its meta refresh."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.source = html
        self.forms: list[Form] = []
        self.articles: list[Article] = []
        self.refresh: str | None = None
        self.title = ""
        self.problem = ""
        self._path: list[tuple[str, str, str]] = []
        self.feed(html)
        self.close()

    def form(self, id: str) -> Form | None:  # noqa: A002 - the attribute's name
        """The form with that id."""
        return next((form for form in self.forms if form.id == id), None)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """An element begins."""
        given = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            self._path.append((tag, given.get("id", ""), given.get("class", "")))
        match tag:
            case "form":
                self.forms.append(
                    Form(given.get("id", ""), given.get("action", ""), options=given.get("data-options", ""))
                )
            case "input" if self.forms and self._inside("form"):
                self.forms[-1].fields[given.get("name", "")] = given.get("value", "")
            case "meta" if given.get("http-equiv", "").lower() == "refresh":
                self.refresh = given.get("content", "").partition("url=")[2]
            case "article":
                self.articles.append(Article())
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        for index in range(len(self._path) - 1, -1, -1):
            if self._path[index][0] == tag:
                del self._path[index:]
                return

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._inside("title"):
            self.title += data
        if any("notice danger" in classes or "wrong" in classes.split() for _, _, classes in self._path):
            self.problem += data.strip()
        if not self._inside("article"):
            return
        article = self.articles[-1]
        if any("big-code" in classes for _, _, classes in self._path):
            article.code += data.strip()
        elif self._inside("h2"):
            article.heading += data
        else:
            article.text += data

    def _inside(self, tag: str) -> bool:
        return any(name == tag for name, _, _ in self._path)
