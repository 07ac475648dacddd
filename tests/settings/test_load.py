"""Tests of the loader: `doorward.toml` and the environment become settings, and every mistake is reported with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.settings import Settings, SettingsError, load
from doorward.settings.load import known_settings

HOME = {"DOORWARD_ISSUER": "http://127.0.0.1:9000"}


def write(folder: Path, text: str) -> Path:
    path = folder / "doorward.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path | None, environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(path, environ)
    return caught.value.problems


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'issuer = "https://auth.example.com"\n[tokens]\naccess_ttl = 120\ncode_ttl = 30\n')
    settings = load(path, {"DOORWARD_TOKENS__ACCESS_TTL": "60"})
    assert settings.issuer == "https://auth.example.com"
    assert settings.tokens.access_ttl == 60
    assert settings.tokens.code_ttl == 30
    assert settings.source == str(path)


def test_relative_paths_of_the_file_are_relative_to_its_folder(tmp_path: Path) -> None:
    path = write(tmp_path, 'issuer = "https://auth.example.com"\ndatabase = "data/people.db"\n')
    settings = load(path, {})
    assert settings.database == str(tmp_path / "data" / "people.db")
    assert settings.secret_key_path == str(tmp_path / "data" / "doorward.key")


@pytest.mark.parametrize("written", ["sqlite:///people.db", "people.db"])
def test_a_sqlite_url_is_a_path(tmp_path: Path, written: str) -> None:
    path = write(tmp_path, f'issuer = "https://auth.example.com"\ndatabase = "{written}"\n')
    assert load(path, {}).database == str(tmp_path / "people.db")


def test_an_absolute_sqlite_url_is_accepted() -> None:
    assert load(None, HOME | {"DOORWARD_DATABASE": "sqlite:////var/lib/doorward/x.db"}).database == (
        "/var/lib/doorward/x.db"
    )


def test_the_port_follows_a_loopback_issuer_and_an_explicit_port_wins() -> None:
    assert load(None, HOME).port == 9000
    assert load(None, HOME | {"DOORWARD_SERVER__PORT": "9100"}).port == 9100
    assert load(None, {"DOORWARD_ISSUER": "https://auth.example.com:8443"}).port == 8000


def test_all_problems_are_reported_at_once_with_file_line_and_suggestion(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'issuer = "https://auth.example.com"\ndatabse = "x"\n[tokens]\nacess_ttl = 3\ncode_ttl = 90\n'
        '[serverr]\nhost = "x"\n[mail]\nmin_length = 3\ntls = "ssl"\n',
    )
    assert problems(path, {"DOORWARD_TOKENS__ACESS_TTL": "1"}) == (
        f"{path}:2: there is no setting databse. Did you mean database?",
        f"{path}:4: [tokens] has no setting acess_ttl. Did you mean access_ttl?",
        f"{path}:6: there is no section serverr. Did you mean server?",
        f"{path}:9: [mail] has no setting min_length. It belongs to [passwords].",
        "DOORWARD_TOKENS__ACESS_TTL: there is no such setting. Did you mean DOORWARD_TOKENS__ACCESS_TTL?",
        f"{path}:5: tokens.code_ttl is 90; it can be 5 to 60.",
        f'{path}:10: mail.tls is "ssl"; it can be none, starttls or tls.',
    )


@pytest.mark.parametrize(
    ("issuer", "said"),
    [
        ("http://auth.example.com", "must begin with https://"),
        ("https://auth.example.com/", 'write "https://auth.example.com"'),
        ("https://auth.example.com?x=1", "query or a fragment"),
        ("https://auth.example.com#x", "query or a fragment"),
        ("https://ada@auth.example.com", "user name"),
        ("https://Auth.example.com", 'write "https://auth.example.com"'),
        ("HTTPS://auth.example.com", "capital letters"),
        ("auth.example.com", "full address"),
        ("https://", "full address"),
        ("ftp://auth.example.com", "full address"),
        ("https://exa mple.com", "does not belong into a URL"),
        ("https://bücher.example", "ASCII"),
        ("https://a:b:c", "no URL"),
    ],
)
def test_an_issuer_is_https_without_query_fragment_or_slash(issuer: str, said: str) -> None:
    (problem,) = problems(None, {"DOORWARD_ISSUER": issuer})
    assert problem.startswith("DOORWARD_ISSUER: issuer ")
    assert said in problem


@pytest.mark.parametrize("issuer", ["http://localhost:8000", "http://[::1]:8000", "https://a.example/auth"])
def test_these_issuers_are_accepted(issuer: str) -> None:
    assert load(None, {"DOORWARD_ISSUER": issuer}).issuer == issuer


def test_without_an_issuer_the_error_says_what_to_write() -> None:
    (problem,) = problems(None, {})
    assert "issuer is missing" in problem
    assert 'issuer = "https://auth.example.com"' in problem


def test_a_secret_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "smtp"
    secret.write_text("hunter2hunter2\n")
    given = HOME | {
        "DOORWARD_MAIL__PASSWORD_FILE": str(secret),
        "DOORWARD_MAIL__HOST": "mail.example.com",
        "DOORWARD_MAIL__USER": "ada",
        "DOORWARD_MAIL__SENDER": "no-reply@example.com",
    }
    settings = load(None, given)
    assert settings.mail.password is not None
    assert settings.mail.password.reveal() == "hunter2hunter2"
    assert "hunter2" not in repr(settings)


def test_any_setting_can_come_from_a_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    settings = load(None, HOME | {"DOORWARD_METRICS__TOKEN_FILE": str(token)})
    assert settings.metrics.token is not None
    assert settings.metrics.token.reveal() == "0123456789abcdef"
    (problem,) = problems(None, HOME | {"DOORWARD_METRICS__TOKEN_FILE": str(tmp_path / "missing")})
    assert problem.startswith("DOORWARD_METRICS__TOKEN_FILE: the file cannot be read")


def test_a_value_and_its_file_at_once_are_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    given = HOME | {"DOORWARD_METRICS__TOKEN": "y", "DOORWARD_METRICS__TOKEN_FILE": str(token)}
    (problem,) = problems(None, given)
    assert "both set" in problem


def test_variables_of_tests_demo_and_bench_are_not_settings() -> None:
    others = dict.fromkeys(
        ("DOORWARD_TEST_POSTGRES_URL", "DOORWARD_DEMO_SPEED", "DOORWARD_BENCH_PEERS"), "anything"
    )
    assert (
        load(None, {"DOORWARD_ISSUER": "https://id.example.com", **others}).issuer == "https://id.example.com"
    )


def test_variables_of_an_orchestrator_are_not_settings() -> None:
    links = {
        "DOORWARD_PORT": "tcp://10.0.0.1:8000",
        "DOORWARD_SERVICE_HOST": "10.0.0.1",
        "DOORWARD_SERVICE_PORT_HTTP": "8000",
        "DOORWARD_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert load(None, HOME | links).port == 9000


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TOKENS__ACCESS_TTL", "five", "whole number"),
        ("TOKENS__ACCESS_TTL", "5", "10 to 86400"),
        ("DEVELOPMENT", "perhaps", "true or false"),
        ("SERVER__TRUSTED_PROXIES", "10.0.0.0/8, nonsense", "no address or network"),
        ("SERVER__TLS_CERT", "/nowhere/cert.pem", "tls_key"),
        ("MAIL__HOST", "mail.example.com", "mail.sender is missing"),
        ("MAIL__USER", "ada", "mail.password is missing"),
        ("METRICS__PORT", "9000", "the server's own port"),
        ("SESSIONS__IDLE", "99999999", "at most as long"),
        ("SESSIONS__AAL2_IDLE", "99999999", "at most as long"),
        ("PASSWORDS__MIN_LENGTH", "12", None),
        ("PASSWORDS__MIN_LENGTH_WITH_SECOND_FACTOR", "20", "never asks for a longer"),
        ("PASSWORDS__BREACHED_LIST", "/nowhere", "no such file"),
        ("PASSWORDS__WORDS", "Blue Harbour,it", "at least 3 characters"),
        ("PASSWORDS__WORDS", ",".join(f"name{n}" for n in range(201)), "at most 200"),
        ("BRAND__NAME", "", "is empty"),
        ("BRAND__NAME", "x" * 61, "too long"),
        ("DATABASE", "mysql://x", "mysql"),
        ("DATABASE", ":memory:", "forget"),
    ],
)
def test_each_wrong_value_is_reported_with_what_is_expected(name: str, value: str, said: str | None) -> None:
    given = HOME | {f"DOORWARD_{name}": value}
    if said is None:
        load(None, given)
        return
    assert said in "\n".join(problems(None, given))


def test_development_requires_an_issuer_on_this_machine() -> None:
    assert load(None, HOME | {"DOORWARD_DEVELOPMENT": "true"}).development
    (problem,) = problems(None, {"DOORWARD_ISSUER": "https://a.example", "DOORWARD_DEVELOPMENT": "true"})
    assert "not on this machine" in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("issuer = ", "is not valid TOML"),
        ("server = 3\nissuer='https://a.example'", "server is a section"),
        ("issuer = 3", "it should be text in quotes"),
        ("issuer='https://a.example'\n[tokens]\naccess_ttl='60'", "without quotes"),
        ("issuer='https://a.example'\n[tokens]\nrefresh_strict=1", "true or false"),
        ("issuer='https://a.example'\n[server]\ntrusted_proxies='10.0.0.1'", "should be a list"),
        ("issuer='https://a.example'\n[keys]\nsecret_key=3", "text in quotes"),
    ],
)
def test_wrong_types_in_a_file_are_reported(tmp_path: Path, text: str, said: str) -> None:
    assert said in "\n".join(problems(write(tmp_path, text), {}))


def test_a_setting_of_an_earlier_version_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path, "issuer='https://a.example'\n[tokens]\nstatus_list = true\naccess_ttl = 60")
    (in_file,) = problems(path, {})
    assert in_file.startswith(f"{path}:3: the setting tokens.status_list was removed: status lists are gone")
    (in_variable,) = problems(None, {**HOME, "DOORWARD_TOKENS__STATUS_LIST_TTL": "60"})
    assert in_variable.startswith(
        "DOORWARD_TOKENS__STATUS_LIST_TTL: the setting tokens.status_list_ttl was removed"
    )


@pytest.mark.parametrize("name", ["database", "server.tls_key"])
def test_the_home_of_an_unknown_user_is_reported(name: str) -> None:
    said = problems(None, {**HOME, f"DOORWARD_{name.upper().replace('.', '__')}": "~nobody-by-this-name/x"})
    assert any(
        f"{name} begins with ~nobody-by-this-name, which is nobody's home here" in line for line in said
    )


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "none.toml", {})
    assert "there is no such file" in problem


def test_a_problem_never_contains_a_secret(tmp_path: Path) -> None:
    path = write(tmp_path, "issuer='https://a.example'\n[keys]\nsecret_key=['hunter2']\n")
    assert "hunter2" not in "\n".join(problems(path, {}))


@given(st.dictionaries(st.sampled_from(sorted(known_settings())), st.text(max_size=20), max_size=6))
def test_any_environment_gives_settings_or_problem_messages(said: dict[str, str]) -> None:
    environ = {
        f"DOORWARD_{name.upper().replace('.', '__')}": value
        for name, value in said.items()
        if "\x00" not in value
    }
    try:
        settings = load(None, environ)
    except SettingsError as error:
        outcome: object = error.problems
    else:
        outcome = settings
    assert isinstance(outcome, Settings) or outcome
