"""Tests of the settings of second factors, passkeys and text messages: what is refused, and what the message says."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.settings import SettingsError, load

HOME = {"DOORWARD_ISSUER": "https://auth.example.com"}
SMS = {
    "DOORWARD_SMS__CHANNEL": "webhook",
    "DOORWARD_SMS__URL": "https://sms.example.com/send",
    "DOORWARD_SMS__TOKEN": "secret",
    "DOORWARD_SMS__COUNTRIES": "DE,FR",
}


def problems(**settings: str) -> str:
    """What `load` says about these settings of sections, named SECTION__NAME."""
    environ = HOME | {f"DOORWARD_{name}": value for name, value in settings.items()}
    with pytest.raises(SettingsError) as refused:
        load(None, environ)
    return str(refused.value)


def test_the_defaults_are_valid_and_ask_for_nothing() -> None:
    settings = load(None, HOME)
    assert settings.second_factor.require == "optional"
    assert settings.second_factor.kinds == ("passkey", "totp")
    assert settings.sms.channel == "none"


def test_all_kinds_can_be_allowed(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("hunter2\n")
    path = tmp_path / "doorward.toml"
    path.write_text(
        """
issuer = "https://auth.example.com"
[mail]
host = "smtp.example.com"
sender = "a@example.com"
[second_factor]
require = "required"
kinds = ["passkey", "totp", "sms", "email_code"]
grace = 86400
[passkeys]
rp_id = "example.com"
related_origins = ["https://example.org"]
allowed_aaguids = ["ee882879-721c-4913-9775-3dfcce97072a"]
[sms]
channel = "twilio"
account = "AC1"
token_file = "token"
sender = "+4930123"
countries = ["DE"]
"""
    )
    settings = load(path, {})
    assert settings.second_factor.kinds[-1] == "email_code"
    assert settings.sms.token is not None
    assert settings.sms.token.reveal() == "hunter2"
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SECOND_FACTOR__KINDS": "passkey,letter"}, 'kinds is "letter"; it can be'),
        ({"SECOND_FACTOR__KINDS": "", "SECOND_FACTOR__REQUIRE": "required"}, "second_factor.kinds is empty"),
        ({"SECOND_FACTOR__KINDS": "email_code"}, "there is no mail.host"),
        ({"SECOND_FACTOR__KINDS": "sms"}, 'sms.channel is "none"'),
        ({"SECOND_FACTOR__REMEMBER": "60"}, "second_factor.remember"),
        ({"SECOND_FACTOR__GRACE": "7776001"}, "second_factor.grace"),
        ({"EMAIL_CODES__FIRST": "true"}, "email_codes.first is true"),
        ({"PASSKEYS__RP_ID": "com"}, 'passkeys.rp_id is "com"'),
        ({"PASSKEYS__RP_ID": "example.org"}, 'passkeys.rp_id is "example.org"'),
        ({"PASSKEYS__RP_ID": "login.auth.example.com"}, "passkeys.rp_id"),
        ({"PASSKEYS__RELATED_ORIGINS": "http://example.org"}, "passkeys.related_origins holds"),
        ({"PASSKEYS__RELATED_ORIGINS": "https://example.org/"}, "passkeys.related_origins holds"),
        ({"PASSKEYS__ALLOWED_AAGUIDS": "ee88"}, "passkeys.allowed_aaguids holds"),
        ({"PASSKEYS__METADATA": "/nowhere/blob.jwt"}, "passkeys.metadata names"),
        ({"SMS__COUNTRIES": "Germany"}, 'sms.countries holds "Germany"'),
    ],
)
def test_a_contradiction_is_refused_with_advice(given: dict[str, str], said: str) -> None:
    assert said in problems(**given)


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("DOORWARD_SMS__URL", "sms.url is missing"),
        ("DOORWARD_SMS__TOKEN", "sms.token is missing"),
        ("DOORWARD_SMS__COUNTRIES", "sms.countries is empty"),
    ],
)
def test_a_channel_needs_an_address_a_secret_and_countries(without: str, said: str) -> None:
    assert load(None, HOME | SMS).sms.countries == ("DE", "FR")
    with pytest.raises(SettingsError, match=said):
        load(None, {name: value for name, value in (HOME | SMS).items() if name != without})


def test_in_development_messages_may_stay_in_the_outbox() -> None:
    own = {"DOORWARD_ISSUER": "http://localhost:8000", "DOORWARD_DEVELOPMENT": "true"}
    few = {"DOORWARD_SMS__CHANNEL": "webhook", "DOORWARD_SMS__COUNTRIES": "DE"}
    assert load(None, own | few).sms.url is None
    with pytest.raises(SettingsError, match=r"sms\.url is missing"):
        load(None, HOME | few)


def test_a_gateway_without_tls_is_only_for_development_on_this_machine() -> None:
    plain = HOME | SMS | {"DOORWARD_SMS__URL": "http://127.0.0.1:9/send"}
    with pytest.raises(SettingsError, match="must begin with https"):
        load(None, plain)
    own = {"DOORWARD_ISSUER": "http://localhost:8000", "DOORWARD_DEVELOPMENT": "true"}
    assert load(None, plain | own).sms.url == "http://127.0.0.1:9/send"


def test_an_issuer_that_is_an_address_can_have_no_rp_id() -> None:
    with pytest.raises(SettingsError, match=r"passkeys\.rp_id"):
        load(None, {"DOORWARD_ISSUER": "https://192.0.2.1", "DOORWARD_PASSKEYS__RP_ID": "192.0.2.1"})
