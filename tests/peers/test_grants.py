"""The grants without a redirect with clients that nobody here wrote, unmodified: npm openid-client and oauth4webapi, PyPI
requests-oauth2client. Each signs a device in (RFC 8628), exchanges its token (RFC 8693), presents an assertion (RFC 7523), and uses an app that registered itself (RFC 7591)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from requests_oauth2client import (
    AccessDenied,
    AuthorizationPending,
    BearerToken,
    DeviceAuthorizationPollingJob,
    InvalidGrant,
    OAuth2Client,
    SlowDown,
)

from doorward.adapters.os_user import os_actor
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build as admin
from doorward.features.oauth.grants.device_code.requests import GRANT_TYPE
from doorward.features.services import Services
from doorward_verify.encoding import b64url_decode
from doorward_verify.jws import sign
from tests.flows.browsing import Person
from tests.flows.running import Running
from tests.flows.seeds import API, PASSWORD, House, draft
from tests.peers.node_client import NodeClient
from tests.stand_ins.openid import rsa_key
from tools.system import NodePeers

pytestmark = pytest.mark.peer
SECTIONS: dict[str, dict[str, Any]] = {"registration": {"mode": "open"}}
BILLING = "https://billing.example.com"
CI = "https://ci.example.com"
SCOPE = "openid orders:read offline_access"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS = Path(__file__).with_name("grants.mjs")
_KEY = rsa_key("ci-1")


@dataclass(frozen=True)
class Gateway:
    """An app with a secret and all of these grants, and a CI system whose jobs it may act for."""

    server: Running
    client_id: str
    secret: str

    def assertion(self, name: str) -> str:
        """What the CI system gives to one job."""
        now = self.server.clock.now()
        claims: dict[str, Any] = {"repository_id": "7", "jti": name, "iat": now, "exp": now + 300}
        said = {"iss": CI, "sub": f"job:{name}", "aud": self.server.issuer, **claims}
        return sign(msgspec.json.encode(said), _KEY, typ="JWT")

    def task(self, name: str) -> dict[str, Any]:
        """What an npm client is told."""
        return {
            "library": name,
            "client_id": self.client_id,
            "client_secret": self.secret,
            "scope": SCOPE,
            "api": API,
            "next_api": BILLING,
            "assertion": self.assertion(name),
            "job_scope": "orders:read",
            "interval": 1,
        }


@pytest.fixture(scope="module")
def gateway(server: Running, house: House) -> Gateway:
    del house
    public: dict[str, Any] = {"keys": [_KEY.public_jwk()]}

    async def work(services: Services) -> Gateway:
        actor = os_actor()
        read = (Permission("orders:read"),)
        await services.get(admin.apis).create(actor, BILLING, name="Billing", permissions=read)
        await services.get(admin.roles).update(actor, "customer", allow=[f"{BILLING}:orders:read"])
        made = await services.get(admin.apps).create(
            actor,
            draft(
                "Gateway",
                "web",
                redirect_uris=(),
                grant_types=(GRANT_TYPE, "refresh_token", EXCHANGE, JWT_BEARER),
                exchange=ExchangePolicy(apis=(BILLING,)),
            ),
            kind="web",
            access=[API, BILLING],
        )
        issuers = services.get(admin.issuers)
        await issuers.create(
            actor, TrustedIssuer(id="", name="ci", issuer=CI, grant_id="", created_at=0, jwks=public)
        )
        await issuers.allow(actor, "ci", "job", app=made.client.id, claims={"repository_id": "7"})
        assert made.secret is not None
        return Gateway(server, made.client.id, made.secret.reveal())

    return server.operate(work)


@pytest.fixture(scope="module")
def ada(server: Running, house: House) -> Person:
    del house
    person = server.person()
    person.sign_in(person.open(f"{server.issuer}/device"), "ada@example.com", PASSWORD)
    return person


def decide(server: Running, person: Person, user_code: str, decision: str) -> None:
    """Type the code of a device, and answer the question."""
    page = person.open(f"{server.issuer}/device?user_code={user_code}")
    page = person.press(page, "device-code", "submit")
    assert "consent" in page.forms, page.words[:400]
    page = person.press(page, "consent", decision)
    assert page.url.startswith(f"{server.issuer}/device/done"), page.url


def payload(token: str) -> dict[str, Any]:
    """The claims of an access token."""
    return msgspec.json.decode(b64url_decode(token.split(".")[1]))


def check(gateway: Gateway, said: dict[str, Any]) -> None:
    """What each client got."""
    first, following, job = (payload(said[name]["access_token"]) for name in ("tokens", "next", "job"))
    assert (first["aud"], first["client_id"], first["scope"]) == (API, gateway.client_id, SCOPE)
    assert said["denied"]["error"] == "access_denied"
    assert said["refreshed"]["access_token"] != said["tokens"]["access_token"]
    assert (following["aud"], following["sub"]) == (BILLING, first["sub"])
    assert following["client_id"] == gateway.client_id
    assert said["next"]["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert "refresh_token" not in said["next"]
    assert (job["sub"], job["aud"], job["scope"]) == (gateway.client_id, API, "orders:read")
    assert said["again"]["error"] == "invalid_grant", "the assertion of a job works once"


def registered(app: dict[str, Any], codes: dict[str, Any]) -> None:
    """What an app got that registered itself, and then began a device."""
    assert app["client_id"].startswith("dcr_")
    assert app["grant_types"] == [GRANT_TYPE, "refresh_token"]
    assert app["client_secret"]
    assert codes["user_code"]


@pytest.mark.requirement(35)
@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
def test_npm_clients(library: str, node_peers: NodePeers, gateway: Gateway, ada: Person) -> None:
    server = gateway.server
    with NodeClient(node_peers, server, gateway.task(library), script=GRANTS) as client:
        decide(server, ada, client.hear()["codes"]["user_code"], "allow")
        client.go_on()
        decide(server, ada, client.hear()["codes"]["user_code"], "deny")
        client.go_on()
        said = client.hear()
    check(gateway, said)
    assert said["claims"]["aud"] == gateway.client_id
    registered(said["registered"], said["device"])
    if library == "oauth4webapi":
        assert said["pending"] == {"error": "authorization_pending", "status": 400}
        assert said["hurried"] == {"error": "slow_down", "status": 400}


def python_client(gateway: Gateway) -> OAuth2Client:
    """requests-oauth2client, from the server's own metadata."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(gateway.server.ca)
    return OAuth2Client.from_discovery_endpoint(
        issuer=gateway.server.issuer,
        client_id=gateway.client_id,
        client_secret=gateway.secret,
        session=session,
        testing=True,
        # of the metadata it reads all endpoints but this one
        device_authorization_endpoint=f"{gateway.server.issuer}/device_authorization",
    )


def as_sent(token: BearerToken) -> dict[str, Any]:
    """The members of an answer."""
    return {name: value for name, value in token.as_dict().items() if value is not None}


@pytest.mark.requirement(35)
def test_requests_oauth2client(gateway: Gateway, ada: Person) -> None:
    client, server = python_client(gateway), gateway.server
    codes = client.authorize_device(scope=SCOPE, resource=API)
    assert codes.verification_uri_complete == f"{server.issuer}/device?user_code={codes.user_code}"
    with pytest.raises(AuthorizationPending):
        client.device_code(codes)
    with pytest.raises(SlowDown):
        client.device_code(codes)
    decide(server, ada, codes.user_code, "allow")
    tokens = client.device_code(codes)
    with pytest.raises(InvalidGrant):
        client.device_code(codes)
    again = client.authorize_device(scope=SCOPE, resource=API)
    decide(server, ada, again.user_code, "allow")
    tokens = client.device_code(again)
    refused = client.authorize_device(scope="openid")
    decide(server, ada, refused.user_code, "deny")
    with pytest.raises(AccessDenied) as denied:
        client.device_code(refused)
    following = client.token_exchange(
        subject_token=tokens.access_token,
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
        resource=BILLING,
    )
    assertion = gateway.assertion("python")
    job = client.jwt_bearer(assertion, resource=API, scope="orders:read")
    with pytest.raises(InvalidGrant) as repeated:
        client.jwt_bearer(assertion, resource=API)
    said = {
        "tokens": as_sent(tokens),
        "next": as_sent(following),
        "job": as_sent(job),
        "denied": {"error": denied.value.error},
        "again": {"error": repeated.value.error},
        "refreshed": as_sent(client.refresh_token(tokens)),
    }
    check(gateway, said)
    # it has no method for registration, and is built from the answer of one
    answer = client.session.post(
        f"{server.issuer}/register",
        json={"client_name": "Newcomer", "grant_types": [GRANT_TYPE, "refresh_token"], "response_types": []},
    )
    assert answer.status_code == 201, answer.text
    app = answer.json()
    own = python_client(replace(gateway, client_id=app["client_id"], secret=app["client_secret"]))
    registered(app, {"user_code": own.authorize_device(scope="openid").user_code})


@pytest.mark.requirement(35)
@pytest.mark.soak
def test_clients_that_poll_as_they_wish_never_hear_slow_down(
    node_peers: NodePeers, gateway: Gateway, ada: Person
) -> None:
    """H2CK/oidc#716: with their own interval and patience, for some polls before the person decides."""
    server, client = gateway.server, python_client(gateway)
    task = {**gateway.task("openid-client"), "interval": 5, "assertion": gateway.assertion("patient")}
    with NodeClient(node_peers, server, task, script=GRANTS) as npm:
        told = npm.hear()["codes"]
        npm.go_on()
        # it polls by itself from here on
        codes = client.authorize_device(scope=SCOPE, resource=API)
        job = DeviceAuthorizationPollingJob(client, codes)
        for _ in range(6):
            assert job() is None
            assert job.interval == 5
        decide(server, ada, codes.user_code, "allow")
        assert job() is not None
        decide(server, ada, told["user_code"], "allow")
        decide(server, ada, npm.hear()["codes"]["user_code"], "deny")
        npm.go_on()
        check(gateway, npm.hear())
    assert not [event for event in server.events() if event.get("error_code") == "slow_down"]
