"""Every metadata value, tried on the server that publishes it; whatever is not listed is refused."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs

from doorward.adapters.keys.signing import SealedKeyMaker
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.features.api_keys.build import maker
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES
from doorward.features.oauth.grants.api_key import build as api_key
from doorward.features.oauth.grants.device_code.requests import GRANT_TYPE as DEVICE_GRANT
from doorward_verify import jws
from doorward_verify.jwk import SigningKey, signing_key
from tests.devices import allow, device
from tests.features import made
from tests.features.api_keys.keyring import draft
from tests.flows.apps import header, payload
from tests.front_channel import Front, front_channel
from tests.tabs import Tab, said, sent_to
from tests.verify.tokens import ED, P256, P384, P521, PS, RS

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(100)]
OWN = made.client(
    id="app_own",
    name="own",
    first_party=True,
    redirect_uris=("https://own.example.com/cb",),
    oidc_scopes=OIDC_SCOPES,
)
_OTHER_NAME = signing_key(Ed25519PrivateKey.generate(), kid="ed25519", alg="Ed25519")
SIGNERS: dict[str, SigningKey] = {key.alg: key for key in (P256, P384, P521, RS, PS, ED, _OTHER_NAME)}
# Each member and the test that tries it.
TRIED = {
    "issuer": "issuer and endpoints",
    "jwks_uri": "issuer and endpoints",
    "scopes_supported": "scopes",
    "response_types_supported": "what an authorization request may say",
    "response_modes_supported": "response modes",
    "grant_types_supported": "grants",
    "identity_chaining_requested_token_types_supported": "tests/features/oauth/grants/token_exchange/test_two_servers.py",
    "authorization_grant_profiles_supported": "tests/features/oauth/grants/jwt_bearer/test_identity_assertions.py",
    "code_challenge_methods_supported": "what an authorization request may say",
    "authorization_response_iss_parameter_supported": "response modes",
    "token_endpoint_auth_methods_supported": "client authentication",
    "token_endpoint_auth_signing_alg_values_supported": "client authentication",
    "introspection_endpoint_auth_methods_supported": "client authentication",
    "introspection_endpoint_auth_signing_alg_values_supported": "client authentication",
    "revocation_endpoint_auth_methods_supported": "client authentication",
    "revocation_endpoint_auth_signing_alg_values_supported": "client authentication",
    "subject_types_supported": "subjects",
    "id_token_signing_alg_values_supported": "signatures",
    "userinfo_signing_alg_values_supported": "signatures",
    "claim_types_supported": "claims",
    "claims_supported": "claims",
    "claims_parameter_supported": "claims",
    "request_parameter_supported": "what an authorization request may say",
    "request_uri_parameter_supported": "what an authorization request may say",
    "acr_values_supported": "levels",
    "prompt_values_supported": "what an authorization request may say",
    "display_values_supported": "what an authorization request may say",
    "ui_locales_supported": "languages",
    "backchannel_logout_supported": "tests/features/sessions/test_revoker.py",
    "backchannel_logout_session_supported": "tests/features/sessions/test_revoker.py",
}


def assertion(front: Front, app: Client, key: SigningKey) -> dict[str, str]:
    """The two form fields by which an app proves itself with a private key (RFC 7523 §2.2)."""
    claims = {
        "iss": app.id,
        "sub": app.id,
        "aud": made.ISSUER,
        "jti": front.services.random.token(),
        "iat": front.now,
        "exp": front.now + 60,
    }
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jws.sign(msgspec.json.encode(claims), key, typ="JWT"),
    }


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person(
            given_name="Ada", family_name="Lovelace", zoneinfo="Europe/London", updated_at=made.NOW
        )
        await opened.register(OWN)
        yield opened


async def metadata(front: Front) -> dict[str, Any]:
    page = await front.browser().get("/.well-known/openid-configuration")
    return json.loads(page.text)


async def signed_in(front: Front) -> Tab:
    tab = front.browser()
    await tab.sign_in()
    return tab


async def tokens(front: Front, tab: Tab, app: Client, **changes: str | None) -> dict[str, Any]:
    code = said(await tab.get(front.asking(app, **changes)))["code"]
    return await front.redeem(app, code, redirect_uri=app.redirect_uris[0])


async def keys(front: Front) -> None:
    """A current key for each algorithm that has none."""
    config: ConfigSnapshot = front.services.config.current()
    there = {key.alg for key in config.keys if key.state == "current"}
    maker = SealedKeyMaker(front.services.sealer)
    for alg in ("ES256", "RS256", "Ed25519"):
        if alg not in there:
            key = structs.replace(maker.make(f"key_{alg}", alg, front.now), state="current")
            assert await front.store.commit(front.store.registry.insert_key(key))
    await front.services.config.refresh()


async def test_every_published_member_is_tried_here(front: Front) -> None:
    found = {name for name in await metadata(front) if not name.endswith("_endpoint")}
    assert found == TRIED.keys()


async def test_issuer_and_endpoints(front: Front) -> None:
    meta = await metadata(front)
    assert meta["issuer"] == made.ISSUER
    places = [value for name, value in meta.items() if name.endswith("_endpoint") or name == "jwks_uri"]
    assert len(places) == len(set(places)) == 10
    for place in places:
        assert place.startswith(made.ISSUER + "/")
        path = urlsplit(place).path
        methods = {(await front.browser().ask(method, path)).status for method in ("GET", "POST")}
        assert methods != {404}, place
        assert methods != {405}, place


async def test_scopes(front: Front) -> None:
    tab, meta = await signed_in(front), await metadata(front)
    every = " ".join(meta["scopes_supported"])
    assert (await tokens(front, tab, OWN, scope=every))["scope"] == every
    given = await tokens(front, tab, OWN, scope="openid phone address")
    assert given["scope"] == "openid"


async def test_what_an_authorization_request_may_say(front: Front) -> None:
    meta = await metadata(front)

    async def error(**changes: str | None) -> str | None:
        page = await front.browser().get(front.asking(OWN, **changes))
        location = page.header("location") or ""
        return said(page)["error"] if location.startswith("https://own.example.com/") else None

    for name, parameter, others in (
        ("response_types_supported", "response_type", ("token", "id_token", "code id_token", "none")),
        ("code_challenge_methods_supported", "code_challenge_method", ("plain", "S512")),
        ("prompt_values_supported", "prompt", ("reauth", "none login")),
        ("display_values_supported", "display", ("wall",)),
    ):
        assert meta[name]
        for value in meta[name]:
            wanted = "login_required" if value == "none" else None
            assert await error(**{parameter: value}) == wanted, (parameter, value)
        for value in others:
            assert await error(**{parameter: value}) is not None, (parameter, value)
    assert (meta["request_parameter_supported"], meta["request_uri_parameter_supported"]) == (False, False)
    assert await error(request="e30.e30.") == "request_not_supported"
    assert await error(request_uri="https://own.example.com/r") == "request_uri_not_supported"


async def test_response_modes(front: Front) -> None:
    tab, meta = await signed_in(front), await metadata(front)
    assert meta["authorization_response_iss_parameter_supported"] is True
    assert meta["response_modes_supported"] == ["query", "form_post"]
    answered = said(await tab.get(front.asking(OWN, response_mode="query")))
    assert (answered["iss"], "code" in answered) == (made.ISSUER, True)
    page = await tab.get(front.asking(OWN, response_mode="form_post"))
    (form,) = [form for form in page.forms.values() if form.action.startswith("https://own.example.com/")]
    assert form.fields["iss"] == made.ISSUER
    assert form.fields["code"]
    assert said(await tab.get(front.asking(OWN, response_mode="fragment")))["error"] == "invalid_request"


async def test_grants(front: Front) -> None:
    tab, meta = await signed_in(front), await metadata(front)
    first = await tokens(front, tab, OWN, scope="openid offline_access")
    forms = {
        "refresh_token": {"refresh_token": first["refresh_token"]},
        "client_credentials": {"scope": "orders:read"},
    }
    # the others are shown with what each needs beside an app: tests/features/oauth/grants/
    elsewhere = {
        DEVICE_GRANT,
        api_key.NAME,
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    }
    assert set(meta["grant_types_supported"]) == {"authorization_code", *elsewhere, *forms}
    assert first["access_token"]
    for grant, form in forms.items():
        assert (await front.token(OWN, {"grant_type": grant, **form}))["status"] == 200
    key = front.services.get(maker).new(draft(), account_id=None, client_id=OWN.id, now=front.now)
    assert await front.services.store.commit(
        front.services.store.api_keys.insert(key.key, most=1, now=front.now)
    )
    api = made.client(id="app_orders", name="orders")
    orders = structs.replace(front.services.config.current().apis[made.API], client_id=api.id)
    assert await front.services.store.commit(front.services.store.registry.put_api(orders))
    await front.register(api)
    exchanged = await front.token(api, {"grant_type": api_key.NAME, "api_key": key.text.reveal()})
    assert exchanged["status"] == 200
    for other in ("password", "implicit", "urn:openid:params:grant-type:ciba"):
        assert (await front.token(OWN, {"grant_type": other}))["error"] == "unsupported_grant_type"
    found = await device(front)
    await allow(await front.signed_in(), found.user_code)
    assert (await found.poll())["status"] == 200


async def test_client_authentication(front: Front) -> None:
    meta = await metadata(front)
    basic = made.client(id="app_basic", name="basic", auth_method="client_secret_basic")
    post = made.client(id="app_post", name="post", auth_method="client_secret_post")
    jwt = made.client(
        id="app_jwt",
        name="jwt",
        auth_method="private_key_jwt",
        secrets=(),
        jwks={"keys": [key.public_jwk() for key in SIGNERS.values()]},
    )
    nobody = made.public(id="app_none", name="none")
    await front.register(basic, post, jwt, nobody)

    async def ask(path: str, app: Client, alg: str = "ES256") -> int:
        form, headers = {"token": "x", "client_id": app.id}, dict[str, str]()
        if app is basic:
            del form["client_id"]
            said_once = b64encode(f"{app.id}:{made.SECRET}".encode()).decode()
            headers["authorization"] = f"Basic {said_once}"
        elif app is post:
            form["client_secret"] = made.SECRET
        elif app is jwt:
            form |= assertion(front, app, SIGNERS[alg])
        if path == "/token":
            form |= {"grant_type": "authorization_code", "code": "x"}
        return (await front.browser().ask("POST", path, form=form, **headers)).status

    apps = {
        "client_secret_basic": basic,
        "client_secret_post": post,
        "private_key_jwt": jwt,
        "none": nobody,
    }
    for path, place in (("/token", "token"), ("/introspect", "introspection"), ("/revoke", "revocation")):
        for name, app in apps.items():
            known = name in meta[f"{place}_endpoint_auth_methods_supported"]
            assert (await ask(path, app) != 401) == known, (path, name)
        for alg in meta[f"{place}_endpoint_auth_signing_alg_values_supported"]:
            assert await ask(path, jwt, alg) != 401, (path, alg)


async def test_subjects(front: Front) -> None:
    other = structs.replace(OWN, id="app_other", name="other", redirect_uris=("https://other.example.com/",))
    await front.register(other)
    tab, meta = await signed_in(front), await metadata(front)
    subjects = {payload((await tokens(front, tab, app))["id_token"])["sub"] for app in (OWN, other)}
    assert (meta["subject_types_supported"], len(subjects)) == (["public"], 1)


async def test_signatures(front: Front) -> None:
    await keys(front)
    tab, meta = await signed_in(front), await metadata(front)
    assert meta["id_token_signing_alg_values_supported"] == meta["userinfo_signing_alg_values_supported"]
    field = "id_token_signed_alg" if "id_token_signed_alg" in Client.__struct_fields__ else "signing_alg"
    for alg in meta["id_token_signing_alg_values_supported"]:
        app = structs.replace(OWN, **{field: alg, "userinfo_signed_alg": alg})
        await front.register(app)
        given = await tokens(front, tab, app)
        assert header(given["id_token"])["alg"] == alg
        page = await front.browser().ask("GET", "/userinfo", authorization=f"Bearer {given['access_token']}")
        assert page.header("content-type") == "application/jwt"
        assert header(page.text)["alg"] == alg


async def test_claims(front: Front) -> None:
    tab, meta = await signed_in(front), await metadata(front)
    assert (meta["claim_types_supported"], meta["claims_parameter_supported"]) == (["normal"], True)
    given = await tokens(front, tab, OWN, scope=" ".join(OIDC_SCOPES[:3] + OIDC_SCOPES[4:]))
    identity = payload(given["id_token"])
    assert set(meta["claims_supported"]) == identity.keys()
    person = json.loads(await userinfo(front, given))
    protocol = {"iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "sid"}
    assert person.keys() == identity.keys() - protocol
    # each claim can be requested by name too, for either place
    names = msgspec.json.encode({place: dict.fromkeys(person) for place in ("id_token", "userinfo")}).decode()
    named = await tokens(front, tab, OWN, scope="openid", claims=names)
    assert person.keys() <= payload(named["id_token"]).keys()
    assert json.loads(await userinfo(front, named)) == person


async def userinfo(front: Front, given: dict[str, Any]) -> str:
    page = await front.browser().ask("GET", "/userinfo", authorization=f"Bearer {given['access_token']}")
    assert page.status == 200
    return page.text


async def test_levels(front: Front) -> None:
    tab, meta = await signed_in(front), await metadata(front)
    weak, *stronger = meta["acr_values_supported"]
    assert payload((await tokens(front, tab, OWN, acr_values=weak))["id_token"])["acr"] == weak
    assert stronger
    for strong in stronger:
        claims = msgspec.json.encode({"id_token": {"acr": {"essential": True, "value": strong}}}).decode()
        # Ada has no second factor
        refused = said(await tab.on(await tab.get(front.asking(OWN, claims=claims))))
        assert refused["error"] == "unmet_authentication_requirements"


async def test_languages(front: Front) -> None:
    meta = await metadata(front)
    for tag in meta["ui_locales_supported"]:
        tab = front.browser()
        page = await tab.on(await tab.get(front.asking(OWN, ui_locales=tag)))
        assert re.search(rf'<html[^>]* lang="{tag}"', page.text), tag
    assert "sv" not in meta["ui_locales_supported"]


async def test_a_posted_answer_goes_where_it_should(front: Front) -> None:
    tab = await signed_in(front)
    assert sent_to(await tab.get(front.asking(OWN))).startswith("https://own.example.com/cb?")
