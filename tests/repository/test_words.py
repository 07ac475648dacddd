"""Tests that no file contains foreign product words or names a package host.

The words are written in rot13, so that this file does not match itself.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import pytest

from tests.repository import tree

HOSTS = (
    r"clcv\.bet", r"clgubaubfgrq\.bet", r"ertvfgel\.acz", r"aczwf\.(bet|pbz)", r"qro\.qrovna", r"pengrf\.vb",
    r"cebkl\.tbynat", r"ercb1?\.znira",
)  # fmt: skip
WORKSHOP = (
    r"\bpynhqr\b", r"naguebcvp", r"pungtcg", r"\bbcranv\b", r"\bpbcvybg\b", r"ynathntr zbqry", r"\bYYZ\b",
    r"\bfhontragf?\b", r"\bNV[- ](trarengrq|nffvfgnag|ntrag)", r"/jbex/(znva|funerq|oevrs)\b",
)  # fmt: skip

TEXTS = [
    path for path in tree.files() if path.suffix not in {".png", ".mo", ".ico", ".webp", ".gz", ".woff2"}
]


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    # Escapes would be changed by rot13: they are removed before and restored after.
    plain = (codecs.decode(word.replace(r"\b", "\0"), "rot13").replace("\0", r"\b") for word in words)
    return re.compile("|".join(plain), re.IGNORECASE)


@pytest.mark.parametrize("words", [HOSTS, WORKSHOP], ids=["package hosts", "the workshop"])
def test_no_file_contains_a_forbidden_word(words: tuple[str, ...]) -> None:
    pattern = _pattern(words)
    found: list[str] = []
    for path in TEXTS:
        text = path.read_text("utf-8", errors="replace")
        found += [
            f"{tree.name(path)}:{text.count(chr(10), 0, hit.start()) + 1}: {hit[0]}"
            for hit in pattern.finditer(text)
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (HOSTS, "https://clcv.bet/fvzcyr"),
        (HOSTS, "https://ertvfgel.aczwf.bet/nopq"),
        (HOSTS, "svyrf.clgubaubfgrq.bet"),
        (WORKSHOP, "znqr jvgu Pynhqr"),
        (WORKSHOP, "frr /jbex/znva/ernqzr"),
    ],
)
def test_the_patterns_match_their_words(words: tuple[str, ...], text: str) -> None:
    assert _pattern(words).search(codecs.decode(text, "rot13"))


@pytest.mark.parametrize("text", ["user agent", "the agent of a device", "cookies/session", "repository"])
def test_our_own_nouns_do_not_match(text: str) -> None:
    assert not _pattern(WORKSHOP).search(text)


def test_no_lock_file_that_records_addresses_exists() -> None:
    locks = {
        "uv.lock",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "poetry.lock",
    }
    assert not [tree.name(Path(p)) for p in tree.files() if p.name in locks]
