"""Tests of the static files: their addresses, and how long they may be cached."""

from __future__ import annotations

import gzip
import re

import pytest

from doorward.web.pages import static


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
        text = asset.body.decode().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "//" not in text.replace("// ", ""), name
        assert "@import" not in text
        assert "url(" not in text


def test_text_sizes_follow_the_browser_s_own_setting() -> None:
    """A size in pixels would not change when a person has chosen larger text (WCAG 2.2, 1.4.4)."""
    found = static.find(f"{static.VERSION}/page.css")
    assert found is not None
    css = found[0].body.decode()
    fixed = re.findall(r"(?:font(?:-size)?|line-height):[^;}]*\dpx", css)
    assert fixed == []
