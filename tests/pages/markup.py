"""Parser of a page, for questions about its elements."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"input", "meta", "link", "img", "br", "path", "circle", "rect"})


@dataclass
class Element:
    """An element, its attributes (None for one without a value), its parent and the text directly in it."""

    tag: str
    attributes: dict[str, str | None]
    parent: Element | None
    content: list[Element | str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [part for part in self.content if isinstance(part, str)]

    def above(self, tag: str) -> Element | None:
        at = self.parent
        while at is not None and at.tag != tag:
            at = at.parent
        return at

    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text() for part in self.content)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.at: Element | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, dict(attrs), self.at)
        self.elements.append(element)
        if self.at is not None:
            self.at.content.append(element)
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.at is not None, f"</{tag}> closes nothing"
        assert self.at.tag == tag, f"</{tag}> closes <{self.at.tag}>"
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        if self.at is not None:
            self.at.content.append(data)


def read(page: str) -> list[Element]:
    """Every element in document order. Fails on a page whose tags do not nest."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.at is None, f"<{reader.at.tag}> is not closed"
    return reader.elements


def skeleton(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Tags and attribute names in order: user text must never change them."""
    return [(element.tag, tuple(element.attributes)) for element in read(page)]
