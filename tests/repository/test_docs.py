"""Tests of the documentation: every page is listed, every link has a target, and every audited event is explained."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.repository import tree
from tools import docs_index

PAGES = sorted(tree.DOCS.rglob("*.md"))
TEXTS = [*PAGES, *sorted(tree.ROOT.glob("*.md")), *sorted(tree.ROOT.glob("packages/*/*.md"))]
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
# noun.what_happened; the nouns are those of the audit log
_EVENT = re.compile(
    r"(sign_up|sign_in|second_factor|recovery_codes|password|session|consent|code|refresh_token|token|grant"
    r"|account|app|api|role|key|client|first_party)\.[a-z][a-z_]*[a-z]"
)
_DATE = re.compile(r"^Date: \d{4}-\d{2}-\d{2}$", re.MULTILINE)


def test_the_folders_of_the_docs_exist() -> None:
    assert {"decisions", "incidents", "reference", "guides"} <= {p.name for p in docs_index.folders()}


def test_every_page_is_on_its_folders_list() -> None:
    for folder in docs_index.folders():
        readme = folder / "README.md"
        assert readme.is_file(), (
            f"{tree.name(folder)} has no README.md that lists its pages: run `make pages`"
        )
        text = readme.read_text("utf-8")
        assert docs_index.indexed(text, docs_index.listing(folder)) == text, (
            "run `make pages` and commit the lists"
        )


def _dead_links(page: Path) -> list[str]:
    text = _FENCE.sub("", page.read_text("utf-8"))
    targets = [t.split("#")[0] for t in _LINK.findall(text)]
    local = [t for t in targets if t and not re.match(r"[a-z][a-z0-9+.-]*:", t)]
    return [f"{tree.name(page)}: {t}" for t in local if not (page.parent / t).exists()]


def test_every_link_leads_to_a_file() -> None:
    dead = [link for page in TEXTS for link in _dead_links(page)]
    assert not dead, f"these links have no target: {dead}"


@pytest.mark.parametrize("room", ["decisions", "incidents"])
def test_decisions_and_incidents_are_numbered_and_dated(room: str) -> None:
    pages = sorted(p for p in (tree.DOCS / room).glob("*.md") if p.name != "README.md")
    assert [p.name[:5] for p in pages] == [f"{number:04}-" for number in range(1, len(pages) + 1)]
    dateless = [tree.name(p) for p in pages if not _DATE.search(p.read_text("utf-8"))]
    assert not dateless, f"a page needs a line like Date: 2026-11-22: {dateless}"


def _audit_kinds() -> dict[str, str]:
    """Every event name that an action writes, as a keyword or as a value passed on to one."""
    kinds: dict[str, str] = {}
    for path in tree.modules(tree.SERVER / "features"):
        for node in tree.nodes(tree.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and _EVENT.fullmatch(node.value)
            ):
                kinds[node.value] = tree.name(path)
    return kinds


def test_every_audited_event_is_documented() -> None:
    kinds = _audit_kinds()
    assert kinds, "no audited event was found in the sources: this test would check nothing"
    page = (tree.DOCS / "reference" / "audit.md").read_text("utf-8")
    missing = {kind: where for kind, where in kinds.items() if f"`{kind}`" not in page}
    assert not missing, f"docs/reference/audit.md does not explain {missing}"


_PAGE_IN_SOURCES = re.compile(r"docs/[\w./-]*\w\.md")
_MODULE_IN_SOURCES = re.compile(r"`((?:[\w-]+/)*[\w-]+\.py)`")
_SOURCES = {".py", ".toml", ".sql", ".html", ".service", ".sh", ".yml", ".yaml", ""}


def named_and_not_there(text: str, known: frozenset[str]) -> list[str]:
    """Missing pages that a source names by their path, and missing modules that it names in backticks."""
    pages = [page for page in _PAGE_IN_SOURCES.findall(text) if page not in known]
    modules = [
        module
        for module in _MODULE_IN_SOURCES.findall(text)
        if not any(path == module or path.endswith(f"/{module}") for path in known)
    ]
    return pages + modules


def test_a_missing_page_or_module_is_found() -> None:
    known = frozenset({"docs/reference/cli.md", "packages/doorward/src/doorward/web/router.py"})
    text = "see docs/reference/cli.md, docs/reference/gone.md, `web/router.py`, `router.py` and `wiring.py`"
    assert named_and_not_there(text, known) == ["docs/reference/gone.md", "wiring.py"]


def test_every_page_and_module_that_a_source_names_exists() -> None:
    known = frozenset(tree.name(path) for path in tree.files())
    dead: list[str] = []
    for path in tree.files():
        if path.suffix in _SOURCES and path != Path(__file__):
            try:
                text = path.read_text("utf-8")
            except UnicodeDecodeError:
                continue
            dead += [f"{tree.name(path)}: {named}" for named in named_and_not_there(text, known)]
    assert not dead, f"these are named and do not exist: {dead}"
