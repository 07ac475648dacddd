"""Tests that no name, address or code can change the page that shows it."""

from __future__ import annotations

import pytest

from doorward.web.pages import language
from doorward.web.pages.render import render
from doorward.web.pages.views.ends import ErrorPage, Failure
from doorward.web.pages.views.flow import Continue, FormPost
from doorward.web.pages.views.sign_in import SignInView
from tests.pages.markup import read, skeleton
from tests.pages.samples import context, samples

HOSTILE = [
    pytest.param("<script>alert(1)</script>\"'><img src=x onerror=alert(1)>", id="markup"),
    pytest.param("\"' autofocus onfocus=alert(1) x='", id="quotes"),
    pytest.param("{{ 7*7 }} {% include 'x' %} %(app)s %s {0}", id="templates"),
    pytest.param("\u202egnp.exe\u202c\u2066\u200f\x07\x1b[31m\r\nSet-Cookie: a=b", id="bidi-and-controls"),
    pytest.param("&lt;b&gt; &amp; ]]> <!-- -->", id="entities"),
    pytest.param("\U0001f469\u200d\U0001f4bb אבג مرحبا 漢字 \ufffd", id="scripts"),
]
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
HARMLESS = "harmless"
NAMES = sorted(samples())


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("locale", language.LOCALES)
def test_hostile_text_never_changes_a_page_s_elements(locale: str, hostile: str) -> None:
    strange, plain = samples(hostile, hostile, hostile), samples(HARMLESS, HARMLESS, HARMLESS)
    for name in NAMES:
        shown = render(strange[name], context(locale=locale, name=hostile))
        expected = render(plain[name], context(locale=locale, name=HARMLESS))
        assert skeleton(shown) == skeleton(expected), name


@pytest.mark.parametrize("name", NAMES)
def test_no_name_changes_the_direction_of_the_text_around_it(name: str) -> None:
    hostile = "\u202eevil\u2067\u200f"
    page = render(samples(hostile, hostile, hostile)[name], context(name=hostile))
    for element in read(page):
        # The development outbox shows a message as written, in a separate block, which ends the change of direction.
        if element.attributes.get("class") != "text":
            assert not BIDI & set("".join(element.texts)), (name, element)


def test_a_typed_value_comes_back_unchanged_in_its_field() -> None:
    typed = "\"><b>'&amp;\u202e@example.com"
    elements = read(render(SignInView(identifier=typed), context()))
    assert [e.attributes["value"] for e in elements if e.attributes.get("id") == "identifier"] == [typed]


def test_values_posted_to_an_app_are_unchanged() -> None:
    fields = (("state", "\"'<>&\u202e\n \u00e9"), ("code", "x"))
    elements = read(render(FormPost("https://app.example/cb?a=1&b=2", fields), context()))
    sent = [
        (e.attributes["name"], e.attributes["value"])
        for e in elements
        if e.attributes.get("type") == "hidden"
    ]
    assert sent == list(fields)
    assert [e.attributes["action"] for e in elements if e.tag == "form"] == ["https://app.example/cb?a=1&b=2"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "//evil.example",
        "/relative",
        "",
    ],
)
def test_no_page_links_to_an_address_that_runs_as_script(url: str) -> None:
    for view in (
        Continue(url=url),
        FormPost(url, ()),
        ErrorPage(Failure.WRONG_HOST, right_url=url, right_host=""),
    ):
        with pytest.raises(ValueError, match="not an address"):
            render(view, context())
