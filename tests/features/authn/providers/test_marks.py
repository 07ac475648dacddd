"""Marks on the buttons of services, and what the sign-in page weighs with six of them."""

from __future__ import annotations

import gzip
import re
from xml.etree import ElementTree as ET

import pytest

from doorward.core.model.secret import Secret
from doorward.features.authn.providers.marks import mark_of
from doorward.features.authn.providers.services.index import BY_NAME, SERVICES
from doorward.features.authn.providers.services.oauth2 import OAUTH2
from doorward.features.authn.providers.services.openid import OPENID
from doorward.features.authn.providers.services.service import ProviderService
from doorward.features.authn.providers.settings import ProviderPolicies, ProviderPolicy
from tests.front_channel import front_channel

NAMED = [one for one in SERVICES if one not in (OPENID, OAUTH2)]
SIX = ("github", "facebook", "gitlab", "linkedin", "discord", "slack")
SHAPES = {"svg", "path", "circle", "rect"}
DRAWN = {"d", "cx", "cy", "r", "x", "y", "width", "height", "rx", "viewBox", "fill", "class", "stroke"}
FRAME = {"stroke-width", "stroke-linecap", "stroke-linejoin", "aria-hidden", "focusable"}


@pytest.mark.parametrize("service", NAMED, ids=lambda one: one.name)
def test_a_named_service_has_a_small_mark_that_the_policy_allows(service: ProviderService) -> None:
    mark = mark_of(service)
    assert mark is not None
    assert len(mark) <= 900
    for shape in ET.fromstring(mark).iter():
        assert shape.tag in SHAPES
        # no style, no script, no address: the content security policy would refuse them
        assert set(shape.attrib) <= DRAWN | FRAME
    # long numbers are left over from a drawing program
    assert not re.search(r"\d\.\d{3}", mark)


def test_any_other_provider_has_none() -> None:
    assert mark_of(OPENID) is None
    assert mark_of(OAUTH2) is None


@pytest.mark.anyio
@pytest.mark.requirement(86)
async def test_the_sign_in_page_with_six_providers_is_at_most_40_kb_in_4_requests() -> None:
    """Each of them with its mark, and everything that the page loads, with its heads."""
    keys = {"client_id": "me", "client_secret": Secret("s")}
    providers = {name: ProviderPolicy.named(name, keys) for name in SIX}
    async with front_channel(providers=ProviderPolicies(by_name=providers)) as front:
        tab = front.browser()
        page = await tab.get("/sign-in")
        for name in SIX:
            label = BY_NAME[name].defaults["label"]
            assert f"Continue with {label}" in page.words
            assert f'id="provider-{name}-submit"><svg class="icon"' in page.text
        loaded = re.findall(r'<(?:link|script|img)[^>]* (?:href|src)="([^"]+)"', page.text)
        answers = [page, *[await tab.get(url) for url in loaded]]
        assert [one.status for one in answers] == [200] * len(answers)
        assert len(answers) <= 4
        heads = sum(len(name) + len(value) + 4 for one in answers for name, value in one.headers)
        # files come compressed, and pages do not: they hold a secret beside what a stranger may write into the address
        files = sum(len(gzip.compress(one.text.encode(), 9)) for one in answers[1:])
        assert 10_000 < heads + files + len(page.text.encode()) <= 40_000
