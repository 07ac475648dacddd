"""Tests that the settings name exactly one key-encryption key, with all that is needed to reach it."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.settings import Settings, SettingsError, load


def loaded(folder: Path, keys: str, environ: dict[str, str] | None = None) -> Settings:
    """The settings of a file with these lines in `[keys]`."""
    path = folder / "doorward.toml"
    path.write_text(f'issuer = "https://auth.example.com"\n[keys]\n{keys}\n')
    return load(path, environ or {})


def told(folder: Path, keys: str) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(folder, keys)
    return "\n".join(caught.value.problems)


def test_by_default_the_key_is_a_file_beside_the_database(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").keys.secret_key_file == str(tmp_path / "doorward.key")


def test_with_a_command_or_a_token_no_key_file_is_looked_for(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'unwrap_command = "kms open"').keys.secret_key_file is None
    (tmp_path / "hsm.so").write_text("")
    token = 'pkcs11_module = "hsm.so"\npkcs11_token = "auth"\npkcs11_pin = "1234"'
    keys = loaded(tmp_path, token).keys
    assert keys.secret_key_file is None
    assert keys.pkcs11_module == str(tmp_path / "hsm.so")
    assert keys.pkcs11_key == "doorward"


def test_the_pin_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "hsm.so").write_text("")
    (tmp_path / "pin").write_text("4711\n")
    begin = 'pkcs11_module = "hsm.so"\npkcs11_token = "auth"\n'
    pin = loaded(tmp_path, begin + 'pkcs11_pin_file = "pin"').keys.pkcs11_pin
    assert pin is not None
    assert pin.reveal() == "4711"
    other = loaded(tmp_path, begin, {"DOORWARD_KEYS__PKCS11_PIN_FILE": str(tmp_path / "pin")}).keys.pkcs11_pin
    assert other == pin
    said = told(tmp_path, begin + 'pkcs11_pin_file = "none"')
    assert "keys.pkcs11_pin_file" in said
    assert "cannot be read" in said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('secret_key = "x"\nunwrap_command = "kms"', "keys.unwrap_command and keys.secret_key are both set"),
        ('secret_key_file = "x"\nunwrap_command = "kms"', "both set"),
        ('unwrap_command = "kms"\npkcs11_module = "x.so"', "doorward keys rewrap"),
        ('wrap_command = "kms"', "keys.unwrap_command is missing"),
        ('unwrap_command = "sh -c \'kms"', "opens a quote"),
        ('unwrap_command = " "', "is empty"),
        ('unwrap_command = "kms"\nwrap_command = \'sh -c "\'', "keys.wrap_command opens a quote"),
        ('unwrap_command = "kms"\ncommand_timeout = 0', "1 to 300"),
        ('pkcs11_token = "auth"', "keys.pkcs11_module is missing"),
        ('pkcs11_module = "none.so"', "there is no such file"),
        ('pkcs11_module = "doorward.toml"', "keys.pkcs11_token is missing"),
        ('pkcs11_module = "doorward.toml"\npkcs11_token = "auth"', "keys.pkcs11_pin is missing"),
    ],
)
def test_an_incomplete_key_and_two_keys_are_reported(tmp_path: Path, keys: str, said: str) -> None:
    assert said in told(tmp_path, keys)


def test_a_pin_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "hsm.so").write_text("")
    settings = loaded(tmp_path, 'pkcs11_module = "hsm.so"\npkcs11_token = "a"\npkcs11_pin = "98765"')
    assert "98765" not in repr(settings)
    assert "98765" not in told(tmp_path, 'pkcs11_token = "a"\npkcs11_pin = "98765"')
