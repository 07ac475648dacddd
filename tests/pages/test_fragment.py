"""Fragments of pages: one script for a page, and that the parts of real factors can stand together."""

from __future__ import annotations

from typing import ClassVar

import pytest

from doorward.features.authn.factors.passkeys.views import PasskeyCard, PasskeyOffer, SilentPasskey
from doorward.features.authn.factors.recovery_codes.views import RecoveryCard
from doorward.web.pages import static
from doorward.web.pages.views.fragment import Fragment, script_of


class OtherPart(Fragment, frozen=True, kw_only=True):
    template: ClassVar[str] = "account/method_card.html"
    script: ClassVar[str | None] = "form_post.js"


PASSKEYS = PasskeyCard(passkeys=(), signals="[]")


def test_a_page_without_parts_that_need_one_has_the_script_of_all_pages() -> None:
    assert script_of(()) == script_of((RecoveryCard(),)) == "page.js"


def test_parts_that_need_one_script_share_it() -> None:
    offer = PasskeyOffer(options="{}", renew="/")
    assert script_of((RecoveryCard(), PASSKEYS, offer, SilentPasskey(options="{}"))) == "passkeys.js"
    assert "passkeys.js" in static.ASSETS


def test_two_scripts_on_one_page_are_refused() -> None:
    with pytest.raises(ValueError, match=r"form_post\.js, passkeys\.js"):
        script_of((PASSKEYS, OtherPart()))
