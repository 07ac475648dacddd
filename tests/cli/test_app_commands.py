"""Tests of `doorward app`: every option registers what it says, and every member can be changed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from doorward.core.model.client import Client
from doorward.features.oauth.grants.device_code.requests import GRANT_TYPE
from doorward.storage.sqlite.database import open_sqlite
from tests.cli.conftest import Run
from tests.features.oauth.clients.weak_keys import ROCA, rsa_jwk
from tests.storage.samples import notice


@pytest.mark.requirement(19, 49)
def test_an_app_with_its_own_keys(run: Run, house: Path) -> None:
    keys = {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "a"}
        ]
    }
    (house / "keys.json").write_text(json.dumps(keys))
    made = run(
        "app",
        "create",
        "bank",
        "--redirect",
        "https://a.example/cb",
        "--jwks",
        "keys.json",
        "--no-rotation",
        "--json",
    )
    assert (made.status, made.document["auth_method"], made.document["rotation"]) == (
        0,
        "private_key_jwt",
        False,
    )
    assert made.document["jwks"] == keys
    for text in (
        "nonsense",
        "{}",
        '{"keys": []}',
        '{"keys": [3]}',
        '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}',
        json.dumps({"kty": "oct", "k": "AAAA"}),
        json.dumps(rsa_jwk(ROCA)),
        json.dumps(rsa_jwk(ROCA, 3)),
        json.dumps(rsa_jwk(ROCA >> 1025 | 1)),
    ):
        (house / "bad.json").write_text(text)
        bad = run("app", "create", "x", "--redirect", "https://a.example/cb", "--jwks", "bad.json", "--json")
        assert bad.status == 1
        assert "bad.json" in bad.document["error"]
        rotated = run("app", "set", "bank", "--jwks", "bad.json", "--json")
        assert (rotated.status, rotated.document["error"]) == (1, bad.document["error"])


def test_changing_an_app_keeps_what_is_not_named(stocked: Run) -> None:
    before = stocked("app", "show", "web", "--json").document
    changed = stocked(
        "app", "set", "web", "--name", "shop", "--first-party", "--access-ttl", "60", "--backchannel-logout",
        "https://app.example.com/logout", "--id-token-signed-alg", "Ed25519", "--json",
    ).document  # fmt: skip
    expected = {
        "name": "shop", "first_party": True, "access_token_ttl": 60, "id_token_signed_alg": "Ed25519",
        "backchannel_logout_uri": "https://app.example.com/logout",
    }  # fmt: skip
    assert changed == before | expected
    keys = stocked("keys", "list", "--json").document
    assert {key["alg"] for key in keys if key["state"] == "current"} == {"ES256", "RS256", "Ed25519"}
    back = stocked(
        "app", "set", "shop", "--access-ttl", "0", "--backchannel-logout", "", "--third-party", "--json"
    ).document
    assert (back["access_token_ttl"], back["backchannel_logout_uri"], back["first_party"]) == (
        None,
        None,
        False,
    )
    assert stocked("app", "set", "shop", "--no-api", "orders", "--json").document["access"] == {}
    added = stocked("app", "add-redirect", "shop", "https://app.example.com/two", "--json").document
    assert added["redirect_uris"] == ["https://app.example.com/cb", "https://app.example.com/two"]
    assert stocked("app", "set", "shop").status == 1
    assert stocked("app", "set", "shop", "--access-ttl", "3").status == 1


@pytest.mark.requirement(14)
def test_how_responses_and_claims_reach_an_app_can_be_chosen_and_changed(run: Run) -> None:
    made = run(
        "app", "create", "web", "--redirect", "https://a.example/cb", "--response-mode", "form_post",
        "--id-token-claims", "asked", "--json",
    ).document  # fmt: skip
    assert (made["response_modes"], made["id_token_claims"]) == (["form_post"], "asked")
    shown = run("app", "show", "web").out
    assert "form_post" in shown
    assert "asked for" in shown
    changed = run(
        "app", "set", "web", "--response-mode", "query", "--response-mode", "form_post",
        "--id-token-claims", "all", "--json",
    ).document  # fmt: skip
    assert (changed["response_modes"], changed["id_token_claims"]) == (["query", "form_post"], "all")
    native = ("app", "create", "phone", "--kind", "native", "--redirect", "com.example.app:/cb")
    refused = run(*native, "--response-mode", "form_post")
    assert (refused.status, "--response-mode query" in refused.err) == (1, True)


@pytest.mark.requirement(101)
def test_the_operator_chooses_what_replaces_pkce_and_sees_it(stocked: Run) -> None:
    def made(name: str, *options: str) -> dict[str, Any]:
        ended = stocked("app", "create", name, "--redirect", "https://a.example/cb", *options, "--json")
        assert ended.status == 0, ended.out
        return ended.document

    assert made("one")["pkce"] == "or_nonce"
    assert made("two", "--kind", "spa")["pkce"] == "required"
    assert made("three", "--public")["pkce"] == "required"
    assert made("four", "--pkce", "required")["pkce"] == "required"
    assert made("five", "--no-pkce")["pkce"] == "or_nonce"
    assert made("my blog", "--pkce", "optional")["pkce"] == "optional"
    assert "cannot see" in stocked("app", "show", "one").out
    shown = stocked("app", "show", "my blog").out
    assert "weaker" in shown
    assert "doorward app set 'my blog' --pkce or_nonce" in shown
    assert stocked("app", "set", "my blog", "--pkce", "required", "--json").document["pkce"] == "required"
    assert stocked("app", "set", "my blog", "--no-pkce", "--json").document["pkce"] == "or_nonce"
    refused = stocked("app", "set", "two", "--pkce", "optional")
    assert (refused.status, "public app" in refused.err) == (1, True)


@pytest.mark.requirement(24)
def test_every_member_of_an_app_can_be_changed_without_a_new_id(stocked: Run, house: Path) -> None:
    (house / "keys.json").write_text(
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
    )
    # member: the options of `app set`, and the resulting value
    ways: dict[str, tuple[list[str], Any]] = {
        "name": (["--name", "shop"], "shop"),
        "redirect_uris": (["--redirect", "https://a.example/1"], ["https://a.example/1"]),
        "post_logout_redirect_uris": (["--post-logout", "https://a.example/2"], ["https://a.example/2"]),
        "backchannel_logout_uri": (["--backchannel-logout", "https://a.example/3"], "https://a.example/3"),
        "first_party": (["--first-party"], True),
        "origins": (["--origin", "https://a.example"], ["https://a.example"]),
        "grant_types": (
            ["--grant-type", "authorization_code", "--grant-type", "client_credentials"],
            ["authorization_code", "client_credentials"],
        ),
        "response_modes": (["--response-mode", "form_post"], ["form_post"]),
        "oidc_scopes": (["--scope", "openid", "--scope", "email"], ["openid", "email"]),
        "access": (["--no-api", "orders"], {}),
        "pkce": (["--pkce", "optional"], "optional"),
        "access_token_ttl": (["--access-ttl", "60"], 60),
        "refresh_token_ttl": (["--refresh-ttl", "6000"], 6000),
        "default_max_age": (["--max-age", "0"], 0),
        "id_token_signed_alg": (["--id-token-signed-alg", "Ed25519"], "Ed25519"),
        "access_token_signed_alg": (["--access-token-signed-alg", "Ed25519"], "Ed25519"),
        "userinfo_signed_alg": (["--userinfo-signed-alg", "ES256"], "ES256"),
        "id_token_claims": (["--id-token-claims", "asked"], "asked"),
        "auth_pinned": (["--auth-method", "client_secret_basic"], True),
        "auth_method": (["--auth-method", "client_secret_post"], "client_secret_post"),
        "jwks": (
            ["--auth-method", "private_key_jwt", "--jwks", "keys.json"],
            json.loads((house / "keys.json").read_text()),
        ),
        "rotation": (["--no-rotation"], False),
        "second_factor": (["--second-factor", "required"], "required"),
        "native": (["--native"], True),
    }
    # how an app came stays; `doorward app exchange` has its own tests
    fixed = {"id", "created_at", "secrets", "registered_by", "exchange", "may_act"}
    assert set(ways) == set(Client.__struct_fields__) - fixed
    first = stocked("app", "show", "web", "--json").document
    for member, (options, value) in ways.items():
        before = stocked("app", "show", first["id"], "--json").document
        assert before[member] != value, member
        changed = stocked("app", "set", first["id"], *options, "--yes", "--json")
        assert changed.status == 0, changed.out
        assert changed.document[member] == value
    for options, member, value in (
        (["--post-logout", ""], "post_logout_redirect_uris", []),
        (["--origin", ""], "origins", []),
        (["--scope", ""], "oidc_scopes", []),
        (["--access-token-signed-alg", "api"], "access_token_signed_alg", None),
        (["--userinfo-signed-alg", "none"], "userinfo_signed_alg", None),
        (["--rotation", "--auth-method", "client_secret"], "auth_method", "client_secret_basic"),
    ):
        changed = stocked("app", "set", first["id"], *options, "--yes", "--json").document
        assert changed[member] == value
    assert changed["client_secret"].startswith("dw_cs_")
    assert stocked("app", "show", first["id"], "--json").document["id"] == first["id"]


@pytest.mark.requirement(17, 24)
def test_a_new_authentication_method_asks_first_and_shows_its_secret_once(stocked: Run) -> None:
    asked = stocked("app", "set", "web", "--auth-method", "none")
    assert (asked.status, "--yes" in asked.err) == (1, True)
    assert stocked("app", "set", "web", "--auth-method", "none", "--yes").status == 0
    given = stocked("app", "set", "web", "--auth-method", "client_secret")
    assert (given.status, given.out.count("dw_cs_")) == (0, 1)
    assert "dw_cs_" not in stocked("app", "set", "web", "--auth-method", "client_secret_basic").out
    assert "Basic or in the body" not in stocked("app", "show", "web").out
    assert stocked("app", "set", "web", "--grant-type", "password").status == 1
    assert stocked("app", "set", "web", "--refresh-ttl", "3").status == 1


def test_show_lists_undelivered_notifications_of_the_app(stocked: Run, house: Path) -> None:
    set_ = stocked("app", "set", "web", "--backchannel-logout", "https://app.example.com/out", "--json")
    assert "not told of log-outs" not in stocked("app", "show", "web").out

    async def remember() -> None:
        store = await open_sqlite(house / "doorward.db")
        untold = notice(client_id=set_.document["client_id"], problem="it answered 404", tries=3)
        await store.commit(store.messages.insert_logout(untold))
        await store.close()

    asyncio.run(remember())
    shown = stocked("app", "show", "web").out
    assert "1 tried again, 0 given up" in shown
    assert "it answered 404" in shown
    document = stocked("app", "show", "web", "--json").document["undelivered_logouts"]
    assert (document["waiting"], document["problem"]) == (1, "it answered 404")


def test_new_apps_of_every_kind_get_rs256_id_tokens_and_the_apis_access_token_algorithm(stocked: Run) -> None:
    def made(name: str, *options: str) -> dict[str, Any]:
        ended = stocked("app", "create", name, *options, "--json")
        assert ended.status == 0, ended.out
        return ended.document

    back = ("--redirect", "https://a.example/cb")
    for kind, more in (("web", back), ("spa", back), ("native", back), ("service", ())):
        document = made(f"a {kind}", "--kind", kind, *more)
        assert (document["id_token_signed_alg"], document["access_token_signed_alg"]) == ("RS256", None)
    # the option's older name meant both
    both = made("old words", *back, "--signing-alg", "Ed25519")
    assert (both["id_token_signed_alg"], both["access_token_signed_alg"]) == ("Ed25519", "Ed25519")
    changed = stocked("app", "set", "a web", "--signing-alg", "ES256", "--json").document
    assert (changed["id_token_signed_alg"], changed["access_token_signed_alg"]) == ("ES256", "ES256")
    assert "for APIs that have not chosen" in stocked("app", "show", "a web").out


@pytest.mark.requirement(35)
def test_a_command_line_is_registered_for_devices_without_a_secret(run: Run) -> None:
    made = run("app", "create", "Corner CLI", "--kind", "device", "--json")
    assert made.status == 0, made.document
    assert made.document["grant_types"] == [GRANT_TYPE, "refresh_token"]
    assert made.document["auth_method"] == "none"
    assert "client_secret" not in made.document
    shown = run("app", "show", "Corner CLI")
    assert GRANT_TYPE in shown.out
    kept = run("app", "create", "x", "--kind", "device", "--auth-method", "client_secret", "--json")
    assert kept.status == 1
    assert "can keep no secret" in kept.document["error"]
    bare = run("app", "set", "Corner CLI", "--grant-type", "refresh_token", "--json")
    assert bare.status == 1
