"""Device description from a user agent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.model.device import describe

MOZILLA = "Mozilla/5.0 "


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            MOZILLA
            + "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            "Chrome on macOS",
        ),
        (
            MOZILLA + "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (MOZILLA + "(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            MOZILLA
            + "(iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            MOZILLA + "(Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            MOZILLA + "(X11; CrOS x86_64 16000) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome on ChromeOS",
        ),
        ("curl/8.5.0", "curl"),
        ("", None),
        ("something else", None),
    ],
)
def test_browser_and_system_in_words_that_people_know(words: str, said: str | None) -> None:
    assert describe(words) == said


@given(st.text(max_size=300))
def test_no_text_of_the_user_agent_is_in_the_result(words: str) -> None:
    said = describe("<script>" + words + "</script>")
    assert said is None or "<" not in said
