"""Tests of the mails in every language, with hostile names."""

from __future__ import annotations

import pytest

from doorward.core.model.place import Place
from doorward.features.authn import index as authn
from doorward.features.authn.directories.messages import PasswordElsewhere
from doorward.features.authn.email_challenges.messages import (
    AddressChanged,
    AddressInUse,
    AddressIsYours,
    AddressTaken,
    ConfirmAddress,
    ResetPasswordMail,
    VerifyAddressMail,
)
from doorward.features.authn.factors.email_code.messages import (
    AddressCodeMail,
    MailCodesAdded,
    MailCodesRemoved,
    SignInByMail,
    SignInCodeMail,
)
from doorward.features.authn.factors.passkeys.messages import (
    PasskeyAdded,
    PasskeyAskedFor,
    PasskeyCopied,
    PasskeyNotAskedFor,
    PasskeyRemoved,
)
from doorward.features.authn.factors.password.messages import PasswordChanged
from doorward.features.authn.factors.recovery_codes.messages import RecoveryCodesMade, RecoveryCodeUsed
from doorward.features.authn.factors.sms.messages import PhoneAdded, PhoneRemoved
from doorward.features.authn.factors.totp.messages import RESET, SecondFactorAdded, SecondFactorRemoved
from doorward.features.authn.flow.held import NoticeName
from doorward.features.authn.flow.messages import NewDevice, SecondFactorFailed
from doorward.features.authn.methods.messages import (
    SecondFactorRequired,
    SecondFactorReset,
)
from doorward.features.authn.providers.messages import ProviderConnected, ProviderDisconnected
from doorward.features.authn.trusted_device.messages import TrustedDeviceCopied
from doorward.features.oauth import index as oauth
from doorward.features.oauth.consent.messages import OfflineAccess
from doorward.features.oauth.grants.refresh_token.messages import RefreshReplayed
from doorward.web.mail.message import MessageTemplate
from doorward.web.mail.render import render
from doorward.web.pages import language
from tests.pages.markup import read, skeleton

AT = 1_795_358_000
LINK = "https://auth.example.com/verify?token=dw_ml_abc&x=1"


def messages(name: str = "Orders") -> list[MessageTemplate]:
    return [
        VerifyAddressMail(code="481516", link=LINK, minutes=10, app=name),
        VerifyAddressMail(code="481516", link=LINK),
        AddressTaken(),
        AddressTaken(ways=("Example", "Passkey")),
        ConfirmAddress(code="481516", via=name),
        ConfirmAddress(code="481516"),
        AddressInUse(via=name, ways=("Example",)),
        AddressInUse(),
        AddressChanged(at=AT, device=name, address=name),
        AddressIsYours(at=AT, device=name, origin="192.0.2.7"),
        PasswordElsewhere(),
        ResetPasswordMail(code="481516", link=LINK, minutes=1),
        ResetPasswordMail(code="481516", link=LINK, ways=("Example",)),
        SignInCodeMail(code="481516", at=AT, device=name, app=name),
        SignInCodeMail(code="481516", at=AT),
        SignInCodeMail(code="481516", at=AT, password=False),
        AddressCodeMail(code="481516"),
        SignInByMail(code="481516"),
        MailCodesAdded(at=AT, device=name, address=name),
        MailCodesRemoved(at=AT, device=name, address=name),
        PasskeyAdded(at=AT, device=name, name=name),
        PasskeyRemoved(at=AT, device=name),
        PasskeyAskedFor(at=AT, device=name, name=name),
        PasskeyNotAskedFor(at=AT, device=name),
        PasskeyCopied(at=AT, device=name, name=name),
        ProviderConnected(at=AT, device=name, name=name),
        ProviderDisconnected(at=AT, device=name, name=name),
        TrustedDeviceCopied(at=AT, device=name),
        PhoneAdded(at=AT, device=name, number="+49 ••• ••78"),
        PhoneRemoved(at=AT, device=name, number="+49 ••• ••78"),
        PasswordChanged(at=AT, device=name),
        NewDevice(
            at=AT, device=name, app=name, origin="192.0.2.7", place=Place("PT", city=name), not_me="dw"
        ),
        NewDevice(at=AT),
        OfflineAccess(at=AT, app=name),
        RefreshReplayed(at=AT, app=name),
        SecondFactorAdded(at=AT, device=name),
        SecondFactorRemoved(at=AT, device=name),
        SecondFactorRemoved(at=AT, device=name, left=True),
        SecondFactorReset(at=AT),
        SecondFactorReset(at=AT, password_too=True),
        SecondFactorReset(at=AT, only=RESET),
        SecondFactorReset(at=AT, only=RESET, password_too=True),
        SecondFactorReset(at=AT, left=True),
        SecondFactorReset(
            at=AT,
            names=(
                NoticeName("Passkey “%(name)s”", {"name": name}),
                NoticeName("Passkey"),
                NoticeName("Authenticator app"),
                NoticeName("Phone ending in %(digits)s", {"digits": "78"}),
                NoticeName("Codes by email to %(address)s", {"address": name}),
            ),
        ),
        SecondFactorRequired(at=AT),
        SecondFactorRequired(at=AT, until=AT + 86_400),
        RecoveryCodesMade(at=AT),
        RecoveryCodesMade(at=AT, replaced=False),
        RecoveryCodeUsed(at=AT, left=1, device=name),
        RecoveryCodeUsed(at=AT, left=0),
        SecondFactorFailed(at=AT, device=name),
    ]


def context(locale: str = "en", brand: str = "Doorward") -> dict[str, str]:
    return {"locale": locale, "brand_name": brand, "issuer": "https://auth.example.com"}


def test_every_message_of_the_server_is_tested_here() -> None:
    assert {type(message) for message in messages()} == {*authn.MESSAGES, *oauth.MESSAGES}


ABOUT_PASSWORDS = (AddressTaken, PasswordElsewhere, ResetPasswordMail, PasswordChanged, VerifyAddressMail)
"""Their subject is a password, or an account that is about to get one."""


@pytest.mark.parametrize("message", messages(), ids=lambda message: type(message).__name__)
def test_no_mail_claims_that_a_password_was_shown_first(message: MessageTemplate) -> None:
    """The first step may have been a code by mail, or a sign-in elsewhere. To choose a new password is advice, and a link."""
    if isinstance(message, ABOUT_PASSWORDS):
        return
    mail = render(message, **context())
    text = mail.text.replace("If this wasn't you, reset your password at once:", "")
    text = text.replace("Forgot your password? Choose a new one:", "")
    assert "your password" not in mail.subject + text


def test_who_has_no_password_is_not_told_to_reset_it() -> None:
    for password in (True, False):
        mail = render(SignInCodeMail(code="481516", at=AT, password=password), **context())
        assert ("/reset" in mail.text) == password
        assert ("/account/activity" in mail.text) != password


@pytest.mark.parametrize("locale", language.LOCALES)
@pytest.mark.parametrize("message", messages(), ids=lambda message: type(message).__name__)
def test_text_and_html_have_the_same_content(message: MessageTemplate, locale: str) -> None:
    mail = render(message, **context(locale))
    body = "".join(e.text() for e in read(mail.html) if e.tag == "body")
    words = [word for word in mail.text.split() if word != "--"]
    assert [word for word in words if word not in body] == []
    assert mail.subject
    assert "\n" not in mail.subject
    assert "%(" not in mail.subject + mail.text + mail.html


def test_a_code_of_a_factor_is_in_the_mail_and_not_in_the_subject() -> None:
    for written in (
        SignInCodeMail(code="481516", at=AT),
        SignInCodeMail(code="481516", at=AT, password=False),
        AddressCodeMail(code="481516"),
        SignInByMail(code="481516"),
    ):
        mail = render(written, **context())
        assert "481\u00a0516" in mail.text
        assert "481" not in mail.subject


def test_code_and_link_are_in_the_mail_and_the_code_not_in_the_subject() -> None:
    for message in (VerifyAddressMail(code="481516", link=LINK), ResetPasswordMail(code="481516", link=LINK)):
        mail = render(message, **context())
        # joined by a character that keeps the two halves in order in right-to-left text
        assert "481\u00a0516" in mail.text
        assert "481\u00a0516" in mail.html
        assert f"\n{LINK}\n" in mail.text
        assert LINK in [e.attributes.get("href") for e in read(mail.html)]
        assert "481" not in mail.subject


@pytest.mark.parametrize("locale", language.LOCALES)
def test_no_mail_loads_or_runs_anything(locale: str) -> None:
    for message in messages():
        for element in read(render(message, **context(locale)).html):
            assert element.tag not in {"img", "script", "link", "iframe", "table", "form"}
            assert "src" not in element.attributes
            assert "url(" not in element.text()
            assert "@import" not in element.text()


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)>\"'",
        "a\r\nBcc: everybody@example.com",
        "\u202egnp.exe",
        "%(brand)s %s {{ 1 }}",
    ],
)
def test_hostile_names_change_neither_headers_nor_elements(hostile: str) -> None:
    for strange, plain in zip(messages(hostile), messages("harmless"), strict=True):
        mail, expected = render(strange, **context(brand=hostile)), render(plain, **context(brand="harmless"))
        assert skeleton(mail.html) == skeleton(expected.html)
        assert mail.text.count("\n") == expected.text.count("\n")
        assert not set(mail.subject) & set("\r\n\u202e")


def test_the_owner_of_a_taken_address_is_informed_and_gets_no_code() -> None:
    mail = render(AddressTaken(), **context())
    assert "https://auth.example.com/sign-in" in mail.text
    assert "https://auth.example.com/reset" in mail.text
    assert "token=" not in mail.text
