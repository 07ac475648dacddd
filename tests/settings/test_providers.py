"""Tests of `[providers.NAME]`: as many sections as wanted, from the file and from variables, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorward.features.authn.providers.settings import ProviderPolicy
from doorward.settings import Settings, SettingsError, load

HOME = {"DOORWARD_ISSUER": "https://auth.example.com"}
GOOD = {
    "ISSUER": "https://accounts.example.com",
    "LABEL": "Example",
    "CLIENT_ID": "me",
    "CLIENT_SECRET": "hunter2",
}


def loaded(text: str, folder: Path, **environ: str) -> Settings:
    path = folder / "doorward.toml"
    path.write_text(text, "utf-8")
    return load(path, environ)


def by_variables(**changes: str | None) -> Settings:
    """A provider `example` from variables alone."""
    values = {**GOOD, **changes}
    given = {
        f"DOORWARD_PROVIDERS__EXAMPLE__{key}": value for key, value in values.items() if value is not None
    }
    return load(None, HOME | given)


def problems(**changes: str | None) -> str:
    with pytest.raises(SettingsError) as refused:
        by_variables(**changes)
    return str(refused.value)


def test_without_a_section_there_is_no_provider() -> None:
    assert load(None, HOME).providers.by_name == {}


def test_sections_keep_their_order_and_their_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    settings = loaded(
        """
issuer = "https://auth.example.com"
[providers.work]
issuer = "https://login.example.org/tenant"
label = "Work"
client_id = "a"
client_secret_file = "secret"
email_domains = ["example.org"]
pkce = false
[providers.my_school]
issuer = "https://school.example"
label = "School"
client_id = "b"
client_secret = "s"
""",
        tmp_path,
        DOORWARD_PROVIDERS__MY_SCHOOL__LABEL="My school",
    )
    assert list(settings.providers.by_name) == ["work", "my_school"]
    work, school = settings.providers.by_name.values()
    assert (work.email_domains, work.pkce, work.nonce) == (("example.org",), False, True)
    assert work.client_secret is not None
    assert work.client_secret.reveal() == "hunter2"
    assert "hunter2" not in repr(settings)
    assert (school.label, school.scopes) == ("My school", ("openid", "email", "profile"))


def test_a_provider_may_come_from_variables_alone(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    settings = by_variables(
        CLIENT_SECRET=None, CLIENT_SECRET_FILE=str(tmp_path / "secret"), SCOPES="email,groups"
    )
    example = settings.providers.by_name["example"]
    assert example.client_secret is not None
    assert example.client_secret.reveal() == "hunter2"
    assert example.scopes == ("email", "groups")


def test_nothing_is_trusted_by_default() -> None:
    policy = ProviderPolicy()
    assert (policy.email_domains, policy.trusted_amr, policy.trusted_acr, policy.private_hosts) == (
        (),
        (),
        (),
        (),
    )
    assert policy.pkce
    assert policy.nonce


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ISSUER": None}, "providers.example.issuer is missing"),
        ({"LABEL": None}, "providers.example.label is missing"),
        ({"CLIENT_ID": None}, "providers.example.client_id is missing"),
        ({"CLIENT_SECRET": None}, "providers.example.client_secret is missing"),
        ({"ISSUER": "http://accounts.example.com"}, "to the letter"),
        ({"ISSUER": "https://a.example/?x"}, "to the letter"),
        ({"ISSUER": "https://u@a.example"}, "to the letter"),
        ({"ISSUER": "accounts.example.com"}, "to the letter"),
        ({"LABEL": "x" * 61}, "longer than 60"),
        ({"SIGNING_ALGS": "HS256"}, 'holds "HS256"'),
        ({"SIGNING_ALGS": "none"}, 'holds "none"'),
        ({"SIGNING_ALGS": ""}, "signing_algs is empty"),
        ({"PKCE": "false", "NONCE": "false"}, "nothing ties a code"),
        ({"EMAIL_DOMAINS": "@example.com"}, "should be a domain"),
        ({"DOMAINS": "@example.com"}, 'domains holds "@example.com"'),
        ({"DOMAINS": "*"}, 'domains holds "*"'),
        ({"DOMAINS": "com"}, 'domains holds "com"'),
        ({"ONLY": "true"}, "providers.example.only is true, and its domains are empty"),
        ({"CLIENT_AUTH": "none"}, "it can be client_secret_basic"),
        ({"CLIENT_AUTH": "private_key_jwt"}, "client_key_file is missing"),
        ({"CLIENT_KEY_FILE": "/nowhere"}, "cannot be read"),
        ({"CLIENTID": "x"}, "no such setting"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, str | None], said: str) -> None:
    assert said in problems(**changes)


@pytest.mark.parametrize("name", ["Example", "my-school", "a__b", "1st", "x" * 33, '"a b"'])
def test_a_name_is_fit_for_an_address_and_a_variable(name: str, tmp_path: Path) -> None:
    section = f'issuer = "https://auth.example.com"\n[providers.{name}]\nissuer = "https://a.example"\n'
    with pytest.raises(SettingsError) as refused:
        loaded(section + 'label = "A"\nclient_id = "a"\nclient_secret = "s"\n', tmp_path)
    assert "cannot name a provider" in str(refused.value)


def test_mistakes_in_the_file_are_found_with_their_lines(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(
            'issuer = "https://auth.example.com"\n[providers.a]\nisuer = "x"\n[providers]\nissuer = "x"\n',
            tmp_path,
        )
    said = str(refused.value)
    assert "doorward.toml:3: [providers.a] has no setting isuer. Did you mean issuer?" in said
    assert "write [providers.NAME]" in said


def test_one_issuer_has_one_section(tmp_path: Path) -> None:
    one = 'issuer = "https://a.example"\nlabel = "A"\nclient_id = "a"\nclient_secret = "s"\n'
    with pytest.raises(SettingsError, match="one provider has one section"):
        loaded(f'issuer = "https://auth.example.com"\n[providers.a]\n{one}[providers.b]\n{one}', tmp_path)


def test_one_domain_has_one_provider_in_whatever_spelling(tmp_path: Path) -> None:
    def section(name: str, domain: str) -> str:
        rest = 'client_id = "a"\nclient_secret = "s"\n'
        return f'[providers.{name}]\nissuer = "https://{name}.example"\nlabel = "A"\ndomains = ["{domain}"]\n{rest}'

    both = section("a", "b\u00fccher.example") + section("b", "XN--bcher-kva.example")
    with pytest.raises(SettingsError, match="a domain has one provider"):
        loaded(f'issuer = "https://auth.example.com"\n{both}', tmp_path)


def test_a_key_is_read_when_the_settings_are(tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_text("no key")
    how = {"CLIENT_AUTH": "private_key_jwt", "CLIENT_KEY_FILE": str(pem), "CLIENT_SECRET": None}
    assert "holds no private key in PEM" in problems(**how)
    key = ec.generate_private_key(ec.SECP256K1())
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "cannot be used" in problems(**how)
    key = ec.generate_private_key(ec.SECP256R1())
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert by_variables(**how).providers.by_name["example"].client_key_file == str(pem)
