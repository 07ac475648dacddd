"""Tests that every page is sound HTML: complete forms, labelled fields, unique ids, nothing inline, always a way on."""

from __future__ import annotations

import gzip
from collections import Counter

import pytest
from msgspec.structs import replace

from doorward.features.accounts.activity import ACTIVITY_KINDS
from doorward.features.authn.factors.passkeys.views import PasskeyWrong
from doorward.features.authn.factors.sms.views import PhoneWrong
from doorward.features.authn.index import ACTIVITY, FACTORS
from doorward.web.pages import language, static
from doorward.web.pages.render import render, warm_up
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.context import View
from doorward.web.pages.views.ends import Failure
from doorward.web.pages.views.flow import ConsentView, ScopeLine
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.wording import Sentences
from doorward.web.pages.words import Words
from tests.pages.markup import Element, read
from tests.pages.samples import FLOW, context, samples

SAMPLES = samples()
NAMES = sorted(SAMPLES)
# Its form goes to the app, which must not get this server's token.
FOREIGN_FORM = frozenset({"form-post"})


def elements(name: str, locale: str = "en") -> list[Element]:
    return read(render(SAMPLES[name], context(locale=locale, development=True)))


def test_every_template_compiles_and_every_catalogue_loads() -> None:
    warm_up({type(view) for view in SAMPLES.values()})


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique(name: str) -> None:
    ids = Counter(e.attributes["id"] for e in elements(name) if "id" in e.attributes)
    assert [found for found, times in ids.items() if times > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_to_an_id_has_its_target(name: str) -> None:
    page = elements(name)
    ids = {e.attributes["id"] for e in page if "id" in e.attributes}
    for element in page:
        for attribute in (
            "for",
            "aria-describedby",
            "aria-labelledby",
            "aria-controls",
            "data-show",
            "data-copy",
        ):
            wanted = element.attributes.get(attribute)
            assert wanted is None or set(wanted.split()) <= ids, (attribute, wanted)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_a_visible_label(name: str) -> None:
    page = elements(name)
    labelled = {e.attributes["for"] for e in page if e.tag == "label" and e.text().strip()}
    for element in page:
        if element.tag in {"input", "select", "textarea"} and element.attributes.get("type") != "hidden":
            assert "hidden" in element.attributes or element.attributes["id"] in labelled


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_inline_and_nothing_is_loaded_from_other_hosts(name: str) -> None:
    for element in elements(name):
        assert element.tag not in {"style", "iframe", "object", "base"}
        assert not [a for a in element.attributes if a == "style" or (a.startswith("on") and a != "on")]
        if element.tag == "script":
            assert (element.attributes["src"] or "").startswith("/static/")
            assert not element.text().strip()
        if element.tag in {"link", "img"}:
            source = element.attributes.get("href") or element.attributes.get("src") or ""
            assert source.startswith(("/static/", "data:image/svg+xml"))


@pytest.mark.requirement(70)
@pytest.mark.parametrize("name", NAMES)
def test_every_form_posts_and_carries_the_csrf_token_and_the_sign_in(name: str) -> None:
    view = SAMPLES[name]
    page = elements(name)
    forms = [e for e in page if e.tag == "form"]
    for form in forms:
        assert form.attributes["method"] == "post"
        hidden = {
            e.attributes["name"]: e.attributes["value"]
            for e in page
            if e.tag == "input" and e.attributes.get("type") == "hidden" and e.above("form") is form
        }
        if name in FOREIGN_FORM:
            assert "csrf" not in hidden
            continue
        assert (form.attributes["action"] or "").startswith("/")
        assert hidden["csrf"] == "c5rf-t0ken"
        assert hidden.get("flow") == getattr(view, "flow", None)


@pytest.mark.parametrize("name", NAMES)
def test_no_page_is_a_dead_end(name: str) -> None:
    ways = [
        e
        for e in elements(name)
        if (e.tag == "a" and e.attributes.get("href") != "#main" and e.above("footer") is None)
        or (e.tag == "button" and e.attributes.get("type", "submit") == "submit")
    ]
    assert ways
    assert all(way.text().strip() for way in ways)


@pytest.mark.parametrize("locale", language.LOCALES)
def test_every_page_declares_its_language_and_direction(locale: str) -> None:
    for name in NAMES:
        html = elements(name, locale)[0]
        assert html.attributes == {"lang": locale, "dir": "rtl" if locale == "ar" else "ltr"}


@pytest.mark.parametrize("name", NAMES)
def test_every_page_has_one_main_one_heading_and_a_title(name: str) -> None:
    page = elements(name)
    assert [e.tag for e in page if e.tag in {"main", "h1", "title"}] == ["title", "main", "h1"]
    title = next(e.text() for e in page if e.tag == "title")
    heading = next(e.text().strip() for e in page if e.tag == "h1")
    assert heading in title
    wrong = any(e.attributes.get("id") == "problem" or "aria-invalid" in e.attributes for e in page)
    assert title.startswith("Error:") == wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_field_is_announced_to_a_screen_reader(name: str) -> None:
    page = elements(name)
    sentences = [e for e in page if e.tag == "p" and e.attributes.get("class") == "wrong"]
    described = [
        e for e in page if e.attributes.get("aria-invalid") == "true" and "aria-describedby" in e.attributes
    ]
    assert len(sentences) == len(described)
    assert all(e.text().strip() for e in sentences)


@pytest.mark.parametrize(
    "name", ["sign-in", "sign-in-wrong", "sign-up", "reset", "check-mail", "second-factor"]
)
def test_links_between_the_steps_keep_the_sign_in(name: str) -> None:
    links = [e.attributes["href"] or "" for e in elements(name) if e.tag == "a" and e.above("footer") is None]
    assert links
    assert all(f"flow={FLOW}" in link for link in links)


def test_the_sign_in_page_has_the_fields_that_password_managers_expect() -> None:
    fields = {e.attributes["name"]: e.attributes for e in elements("sign-in") if e.tag == "input"}
    assert list(fields) == ["csrf", "flow", "identifier", "password"]
    assert fields["identifier"]["autocomplete"] == "username webauthn"
    assert fields["password"]["autocomplete"] == "current-password"
    assert fields["password"]["type"] == "password"


def test_a_new_password_field_names_its_account() -> None:
    for name in ("reset-new", "methods", "confirm"):
        assert [
            e.attributes["value"] for e in elements(name) if e.attributes.get("autocomplete") == "username"
        ] == ["ada@example.com"]


def test_codes_are_typed_into_one_field_that_a_phone_fills() -> None:
    for name in ("check-mail", "second-factor", "authenticator"):
        (field,) = [e.attributes for e in elements(name) if e.attributes.get("name") == "code"]
        assert (field["inputmode"], field["autocomplete"]) == ("numeric", "one-time-code")


def test_every_own_path_begins_with_the_issuers_path() -> None:
    for name in NAMES:
        page = read(render(SAMPLES[name], replace(context(), issuer="https://example.com/auth/")))
        for element in page:
            for attribute in ("href", "src", "action"):
                value = element.attributes.get(attribute) or ""
                assert not value.startswith("/") or value.startswith("/auth/"), (name, value)


@pytest.mark.requirement(12)
def test_consent_shows_app_account_host_scopes_and_duration() -> None:
    view = ConsentView(
        app="Orders",
        host="orders.example.com",
        account="ada@example.com",
        scopes=(
            ScopeLine("openid"),
            ScopeLine("orders:read", "See your orders", "Orders API"),
            ScopeLine("odd:scope"),
        ),
        lasts=30 * 86400,
        flow=FLOW,
    )
    page = read(render(view, context()))
    shown = {e.attributes["id"]: " ".join(e.text().split()) for e in page if "id" in e.attributes}
    assert "ada@example.com" in shown["account"]
    assert shown["host"] == "orders.example.com"
    assert shown["scopes"] == "Know that it is you See your orders Orders API odd:scope"
    assert "30 days" in shown["lasts"]
    buttons = [e.attributes for e in page if e.tag == "button"]
    assert [(b["name"], b["value"]) for b in buttons] == [("decision", "deny"), ("decision", "allow")]
    assert [b.get("class") for b in buttons] == [None, None], "Allow and Cancel look the same"


@pytest.mark.requirement(1, 12, 64)
def test_consent_warns_of_an_app_that_nobody_here_knows_and_of_programs_on_the_device() -> None:
    for name, shown, hidden in (
        ("consent-unknown", "unknown", "on-device"),
        ("consent-on-device", "on-device", "unknown"),
        ("consent", None, "unknown"),
    ):
        page = read(render(SAMPLES[name], context()))
        ids = {e.attributes["id"]: " ".join(e.text().split()) for e in page if "id" in e.attributes}
        assert hidden not in ids
        assert (shown is None) == ("published-at" not in ids)
        assert shown is None or shown in ids
    assert ids["host"] == "orders.example.com"
    (said,) = [
        e.text()
        for e in read(render(SAMPLES["consent-unknown"], context()))
        if e.attributes.get("id") == "unknown"
    ]
    assert "tool.example.com" in said


def test_not_you_contains_the_sign_in_once() -> None:
    view = replace(SAMPLES["consent"], not_you=f"/sign-in?flow={FLOW}&prompt=select_account")  # type: ignore[type-var]
    (link,) = [
        e.attributes["href"] for e in read(render(view, context())) if e.attributes.get("id") == "not-you"
    ]
    assert link == f"/sign-in?flow={FLOW}&prompt=select_account"


@pytest.mark.parametrize("locale", language.LOCALES)
def test_every_kind_has_a_text(locale: str) -> None:
    say = Sentences(Words(locale), lambda at, shape: Words(locale).html("%(at)s", at=at))
    for kind in (*Wrong, *PhoneWrong, *PasskeyWrong):
        assert say.problem(FormProblem(kind, number=15, at=1))
        assert say.problem(FormProblem(kind))
    assert all(say.failure(kind).title and say.failure(kind).sentence for kind in Failure)
    assert all(say.done(done) for done in (*Done, *(one for parts in FACTORS for one in parts.done or ())))
    assert len({kind.text for kind in (*ACTIVITY_KINDS, *ACTIVITY)}) == len(
        {e.text() for e in _activity_sentences()}
    )


def _activity_sentences() -> list[Element]:
    return [
        e
        for e in elements("activity")
        if e.tag == "p" and e.parent and e.parent.attributes.get("class") == "row"
    ][::2]


@pytest.mark.parametrize("name", ["sign-in-wrong", "sign-in-passkey-unknown"])
def test_the_sign_in_page_is_at_most_40_kb_in_4_requests(name: str) -> None:
    view: View = SAMPLES[name]
    page = render(view, context())
    loaded = [
        e.attributes.get("href") or e.attributes.get("src") or ""
        for e in read(page)
        if e.tag in {"link", "script"}
    ]
    assert 1 + len(loaded) <= 4
    names = [address.rpartition("/")[2] for address in loaded]
    size = len(gzip.compress(page.encode())) + sum(len(static.ASSETS[name].compressed) for name in names)
    assert size <= 40_000
