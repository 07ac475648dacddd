"""A sign-in with a name and a password."""

from __future__ import annotations

from tests.front_channel import Front
from tests.slapd import PASSWORD


async def signs_in(front: Front, name: str, password: str = PASSWORD) -> str:
    """Empty where a fresh browser is signed in, else what the page says."""
    page = await front.browser().sign_in(email=name, password=password)
    return "" if page.status == 303 else page.problem or page.words
