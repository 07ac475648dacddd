"""Typed digits: every form for a code takes the digits of every script, with the spaces and marks that people add."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import TYPED_CODE_PATH
from doorward.features.authn.flow.typed_code import TypedCodeStep
from tests.people import PASSWORD, House, Page, caller_of, code_for, key_bytes

pytestmark = pytest.mark.anyio

SCRIPTS = {
    "Arabic-Indic": 0x660,
    "Persian": 0x6F0,
    "Devanagari": 0x966,
    "Bengali": 0x9E6,
    "Thai": 0xE50,
    "full width": 0xFF10,
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    **{
        name: lambda code, zero=zero: "".join(
            chr(zero + int(char)) if char.isdecimal() else char for char in code
        )
        for name, zero in SCRIPTS.items()
    },
    "grouped by spaces": lambda code: f" {code[:3]}\u00a0{code[3:]}\t",
    "between direction marks": lambda code: f"\u200f\u2067{code}\u2069\u200e",
    "between other invisible characters": lambda code: f"\ufeff{code[:2]}\u200b{code[2:]}\u00ad",
    "with a hyphen": lambda code: f"{code[:3]}\u2011{code[3:]}",
}
Enter = Callable[[House, Callable[[str], str]], Awaitable[bool]]


async def _mailed(house: House) -> str:
    (_, _, mail), *_ = await house.mails()
    assert mail.code is not None
    return mail.code


async def _sign_up(house: House, spell: Callable[[str], str]) -> bool:
    browser = house.browser()
    form = await browser.get("/sign-up")
    sent = await browser.submit(form, "sign-up", email="new@example.com", password=PASSWORD, name="New")
    done = await browser.submit(await browser.follow(sent), "check", code=spell(await _mailed(house)))
    return done.header("location") == "/account"


async def _reset(house: House, spell: Callable[[str], str]) -> bool:
    await house.person()
    browser = house.browser()
    sent = await browser.submit(await browser.get("/reset"), "reset", email="ada@example.com")
    done = await browser.submit(await browser.follow(sent), "check", code=spell(await _mailed(house)))
    return "new-password" in (await browser.follow(done)).forms


async def _second_step(house: House) -> tuple[Page, bytes, tuple[str, ...], Callable[..., Awaitable[Page]]]:
    seed, codes = await house.authenticator(await house.person())
    browser = house.browser()
    return await browser.follow(await browser.sign_in()), seed, codes, browser.submit


async def _authenticator(house: House, spell: Callable[[str], str]) -> bool:
    asked, seed, _, submit = await _second_step(house)
    done = await submit(asked, "second-factor", code=spell(code_for(seed, house.now)))
    return done.header("location") == "/account"


async def _recovery(house: House, spell: Callable[[str], str]) -> bool:
    asked, _, codes, submit = await _second_step(house)
    done = await submit(asked, "second-factor", code=spell(codes[0]))
    return done.header("location") == "/account"


async def _mailed_step(house: House, spell: Callable[[str], str]) -> bool:
    account = await house.person()
    factor = EnrolledFactor("fac_mail", account.id, "email_code", house.now)
    assert await house.store.commit(house.store.accounts.add_factor(factor))
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in())
    done = await browser.submit(asked, "second-factor", code=spell(await _mailed(house)))
    return done.header("location") == "/account"


async def _set_up(house: House, spell: Callable[[str], str]) -> bool:
    await house.person()
    browser = await house.signed_in()
    setup = await browser.get("/account/methods/authenticator")
    uri = re.search(r'href="(otpauth://[^"]+)"', setup.text)
    assert uri is not None
    secret = parse_qs(urlsplit(unquote(uri.group(1)).replace("&amp;", "&")).query)["secret"][0]
    code = code_for(key_bytes(secret), house.now)
    return (await browser.submit(setup, "authenticator", code=spell(code))).status == 200


async def _json(house: House, spell: Callable[[str], str]) -> bool:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    proven = await house.check.prove(
        await house.sign_in(), account.known_as, Secret(PASSWORD), caller=caller_of(), now=house.now
    )
    assert isinstance(proven, SignIn)
    step = TypedCodeStep(prove_code=house.prove_second_factor)
    typed = {step.field: spell(code_for(seed, house.now))}
    return isinstance(await step.prove(proven, typed, caller=caller_of(), now=house.now), SignIn)


PAGES: dict[str, tuple[Enter, ...]] = {
    "/sign-up/check": (_sign_up,),
    "/reset/check": (_reset,),
    TYPED_CODE_PATH: (_authenticator, _recovery, _mailed_step),
    "/account/methods/authenticator": (_set_up,),
}
INPUTS = [*(enter for each in PAGES.values() for enter in each), _json]
# forms whose codes are compared by the same service as those of a form above
SHARED = {
    "/sign-in/address/check",
    "/account/address/check",
    "/sign-in/enrol/authenticator",
    "/account/methods/email",
    "/sign-in/enrol/email",
    "/account/methods/phone/code",
    "/sign-in/enrol/phone/code",
}
# takes `code` only so that an old form is not refused
NO_INPUT = {"/account/confirm"}


@pytest.mark.requirement(82)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("enter", INPUTS, ids=lambda enter: enter.__name__.strip("_"))
async def test_a_code_is_taken_however_its_digits_are_written(
    house: House, enter: Enter, spelling: str
) -> None:
    assert await enter(house, SPELLINGS[spelling])


async def test_a_code_with_another_character_is_refused(house: House) -> None:
    # no digit of any script, so it does not disappear either
    assert not await _authenticator(house, lambda code: f"{code}²")


async def test_every_form_for_a_code_is_among_them(house: House) -> None:
    forms = {
        route.path
        for route in house.app.routes
        if "POST" in route.methods and "code" in route.operation.takes.split()
    }
    assert forms == {*PAGES, *SHARED, *NO_INPUT}
