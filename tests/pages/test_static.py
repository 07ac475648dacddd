"""Tests of the static files: their addresses, and how long they may be cached."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from doorward.web.pages import static

STATIC = Path(static.__file__).parent / "static"
VENDORED = STATIC / "vendor" / "simplewebauthn-browser.min.js"


def test_an_address_contains_a_hash_of_the_content() -> None:
    found = static.find(f"{static.VERSION}/page.css")
    assert found is not None
    asset, cache = found
    assert cache == "public, max-age=31536000, immutable"
    assert asset.content_type == "text/css; charset=utf-8"
    assert gzip.decompress(asset.compressed) == asset.body
    assert asset.etag.startswith('"')
    assert asset.etag.endswith('"')


def test_another_version_s_address_is_answered_but_not_cached() -> None:
    found = static.find("0000000000000000/page.css")
    assert found is not None
    assert found[1] == "public, max-age=60"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "page.css",
        f"{static.VERSION}/",
        f"{static.VERSION}/../static.py",
        f"{static.VERSION}/x/page.css",
        "..",
        f"{static.VERSION}/page.css/",
    ],
)
def test_nothing_else_is_served(path: str) -> None:
    assert static.find(path) is None


def test_no_file_names_another_host() -> None:
    for name, asset in static.ASSETS.items():
        # the vendored file is compared with its hash below
        text = asset.body.decode().replace(VENDORED.read_text("utf-8"), "")
        text = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "//" not in text.replace("// ", ""), name
        assert "@import" not in text
        assert "url(" not in text


def test_the_vendored_script_is_the_published_one() -> None:
    noted = (VENDORED.parent / "VENDORED.txt").read_text("utf-8")
    body = VENDORED.read_bytes()
    assert hashlib.sha256(body).hexdigest() in noted
    assert VENDORED.name in noted
    assert "MIT License" in (VENDORED.parent / "simplewebauthn-browser.LICENSE.md").read_text("utf-8")
    # the one address in it is that of an explanation, in a warning for programmers
    assert set(re.findall(rb"https?://[a-z.]+", body)) == {b"https://simplewebauthn.dev"}
    assert not re.findall(rb"\beval\b|\bnew Function\b|innerHTML|outerHTML|document\.write|fetch\(", body)


def test_a_page_with_passkeys_loads_one_script() -> None:
    whole = static.ASSETS["passkeys.js"].body
    for part in ("page.js", "passkeys.js", f"vendor/{VENDORED.name}"):
        assert (STATIC / part).read_bytes() in whole
    assert whole.startswith(b'"use strict";')
    assert b"Copyright (c) 2020 Matthew Miller, MIT" in whole


def test_text_sizes_follow_the_browser_s_own_setting() -> None:
    """A size in pixels would not change when a person has chosen larger text (WCAG 2.2, 1.4.4)."""
    found = static.find(f"{static.VERSION}/page.css")
    assert found is not None
    css = found[0].body.decode()
    fixed = re.findall(r"(?:font(?:-size)?|line-height):[^;}]*\dpx", css)
    assert fixed == []
