"""Checks of every page that a browser reaches: nothing blocked, nothing broken, no finding of axe.

`Watch` records everything that a browser reports from its first page to its last; `audit` checks one page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, Route

_TELL_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));
"""
_ANSWERED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@dataclass
class Watch:
    """`complaints()` lists the faults that the pages of one browser reported."""

    origins: tuple[str, ...]
    _said: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _refused_pages: set[str] = field(default_factory=set[str])
    _foreign: list[str] = field(default_factory=list[str])
    _broken: list[str] = field(default_factory=list[str])

    def listen(self, context: BrowserContext) -> None:
        """Watch every tab from now on."""
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._said.append(("", str(error.error))))
        context.on("request", self._asked)
        context.on("response", self._answered)

    def complaints(self) -> list[str]:
        """Empty when there was no fault. A page that shows a form again is answered with 4xx, and browsers log that: it is no
        fault."""
        spoken = [
            f"{place}: {text}"
            for place, text in self._said
            if not (_ANSWERED.match(text) and place in self._refused_pages)
        ]
        return [*spoken, *self._foreign, *self._broken]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            self._said.append((str(message.location.get("url", "")), message.text))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((*self.origins, "data:")):
            self._foreign.append(f"fetched from elsewhere: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._broken.append(f"{response.status} from {response.url}")
        if 400 <= response.status < 500 and response.request.is_navigation_request():
            self._refused_pages.add(response.url)


_BRIEF = {"resultTypes": ["violations"]}
# dark mode changes only the colours
_LOOKS: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...] = (
    ("light", _BRIEF),
    ("dark", {**_BRIEF, "runOnly": {"type": "tag", "values": ["cat.color"]}}),
)


@dataclass(frozen=True)
class Checked:
    """The states of pages that this run has checked: a file each, in a folder that its workers share."""

    folder: Path
    sites: dict[str, str]
    """Names of the servers by their hosts, whose ports differ between workers."""

    def claim(self, state: tuple[str, ...]) -> Path | None:
        """The file of this state, which the caller now checks; None if it was claimed before."""
        host, *rest = state
        known = repr((self.sites.get(host, host), *rest))
        file = self.folder / sha256(known.encode()).hexdigest()
        try:
            file.touch(exist_ok=False)
        except FileExistsError:
            return None
        return file


def audit(page: Page, stand_in: Page | None, checked: Checked) -> list[str]:
    """The faults of this page, in light and in dark. Each state of each page is checked once per run.

    axe is a script: where the page's browser runs none, `stand_in`, a tab of one that does, is shown the same document.
    """
    state = _state(page)
    claimed = checked.claim(state)
    if claimed is None:
        return []
    try:
        return _faults(page, stand_in, state[2])
    except BaseException:
        # the page was left meanwhile
        claimed.unlink()
        raise


def _faults(page: Page, stand_in: Page | None, heading: str) -> list[str]:
    where = f"{urlsplit(page.url).path} «{heading}»"
    found = [f"{where}: {words}" for words in (*_structure(page), *_errors(page))]
    looked_at = page if stand_in is None else _show_again(page, stand_in)
    looked_at.evaluate(AXE_SCRIPT)
    for scheme, options in _LOOKS:
        looked_at.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results: dict[str, Any] = looked_at.evaluate("(options) => axe.run(options)", options)
        if not results["passes"]:
            found.append(f"{where}: axe looked at nothing in {scheme}")
        for violation in results["violations"]:
            nodes = [node["html"] for node in violation["nodes"]]
            found.append(f"{where} in {scheme}: {violation['id']}: {nodes}")
    looked_at.emulate_media(color_scheme="light", reduced_motion="reduce")
    return found


def _show_again(page: Page, stand_in: Page) -> Page:
    document = re.sub(
        r"<script\b.*?</script>|<meta http-equiv=.refresh.[^>]*>", "", page.content(), flags=re.S
    )

    def answer(route: Route) -> None:
        route.fulfill(body=document, content_type="text/html; charset=utf-8")

    stand_in.route(page.url, answer)
    stand_in.goto(page.url)
    stand_in.unroute(page.url)
    return stand_in


def _state(page: Page) -> tuple[str, ...]:
    # What distinguishes two visits to one page: the path, the heading, the fields, and the errors. What is there only without scripts has
    # an id, too.
    parts = urlsplit(page.url)
    ids: list[str] = page.evaluate(
        "Array.from(document.querySelectorAll('[id]:not(svg *)'), (e) => e.id.replace(/[0-9]+/g, '#'))"
    )
    return (parts.netloc, parts.path, page.locator("h1").first.inner_text(), *sorted(set(ids)))


def _structure(page: Page) -> list[str]:
    wrong: list[str] = []
    if page.locator("h1").count() != 1:
        wrong.append(f"{page.locator('h1').count()} level-one headings")
    if not page.locator("html").get_attribute("lang"):
        wrong.append("no language")
    unlabelled: list[str] = page.evaluate(
        """Array.from(document.querySelectorAll('input:not([type=hidden]):not([hidden]), select, textarea'))
        .filter((e) => !Array.from(e.labels).some((l) => l.offsetParent !== null && l.textContent.trim()))
        .map((e) => e.outerHTML)"""
    )
    wrong += [f"no visible label: {field}" for field in unlabelled]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        wrong.append("scrolls sideways")
    return wrong


def _errors(page: Page) -> list[str]:
    """Errors must be announced: `role=alert` for the page's, `aria-describedby` and `aria-invalid` for a field's, and in the
    title."""
    wrong: list[str] = []
    alerts = page.locator("[role=alert]")
    wrong += ["an empty alert" for said in alerts.all_inner_texts() if not said.strip()]
    fields = page.locator("[aria-invalid=true]")
    for index in range(fields.count()):
        described = (fields.nth(index).get_attribute("aria-describedby") or "").split()
        if not described or not all(page.locator(f"#{name}").inner_text().strip() for name in described):
            wrong.append(f"a wrong field that does not say why: {described}")
    if page.locator("#problem, [aria-invalid=true]").count() and not page.title().startswith("Error:"):
        wrong.append(f"the title is silent about the error: {page.title()}")
    return wrong
