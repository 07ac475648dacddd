"""The lists of grants and client authentication methods: what is listed is dispatched, advertised and guarded, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

import pytest

from doorward.cli.apps_options import AuthChoice
from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.secret import Secret
from doorward.core.model.token_request import TokenRequest
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.features.oauth.client_auth.method import Presented, SingleUse
from doorward.features.oauth.client_auth.rules.credentials import CredentialReader
from doorward.features.oauth.index import CLIENT_AUTH_METHODS, GRANT_TYPES
from doorward.features.oauth.metadata.feature import METADATA
from doorward.features.oauth.slots import CLIENT_AUTH, GRANTS
from doorward.features.oauth.token.grant_type import GrantType
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.build import token_issuer
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.services import Services
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, back_channel, basic
from tests.features.oauth.token.exchange import refused
from tests.openapi import document
from tests.repository.test_pinned_strings import GRANT_NAMES
from tests.web.asgi import Asgi

pytestmark = pytest.mark.anyio
TOY = "urn:example:grant-type:toy"
TICKET = "toy_ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyGrant:
    """A grant from outside the tree: a token for the right word."""

    tokens: TokenIssuer
    asked: list[TokenRequest] = field(default_factory=list[TokenRequest])

    async def exchange(self, request: TokenRequest, client: Client) -> TokenResponse | OAuthError:
        self.asked.append(request)
        if request.form.get("word") != "please":
            return OAuthError("invalid_grant", "That is not the word.")
        entitlement = Entitlement(
            grant_id="grt_toy",
            client_id=client.id,
            audience=made.API,
            scopes=("orders:read",),
            permissions=(),
        )
        return self.tokens.for_client(entitlement, client, request.now)


def toy_grant(services: Services) -> ToyGrant:
    return ToyGrant(tokens=services.get(token_issuer))


TOY_GRANT = GrantType(name=TOY, parameters=("word",), build=toy_grant)


class ToyTicket:
    """A client authentication method from outside the tree: a header of its own, with a ticket that works once."""

    name: ClassVar[str] = TICKET
    scheme: ClassVar[str | None] = "ticket"
    credentials: ClassVar[tuple[str, ...]] = ()
    algorithms: ClassVar[tuple[str, ...]] = ("TOY256",)

    def read(self, request: TokenRequest) -> Presented | OAuthError | None:
        client_id, _, ticket = (request.authorization or "").partition(" ")[2].partition(":")
        return Presented(TICKET, client_id, Secret(ticket))

    def verify(
        self,
        presented: Presented,
        client: Client,
        request: TokenRequest,
        *,
        issuer: str,
        policy: TokenPolicy,
    ) -> SingleUse | OAuthError | None:
        ticket = presented.secret.reveal() if presented.secret else ""
        if not ticket.startswith("toy-"):
            return OAuthError("invalid_client", "Client authentication failed.", "no toy ticket")
        return SingleUse(ticket, request.now + 60)


class OtherTicket(ToyTicket):
    """Another one that uses the same header."""

    name: ClassVar[str] = "other_ticket"


TOY_FEATURE = Feature(
    name="toy",
    adds=(GRANTS.filled_by(lambda _: (TOY_GRANT,)), CLIENT_AUTH.filled_by(lambda _: (ToyTicket(),))),
)


class ToyPassword:
    """A second method, a form parameter."""

    name: ClassVar[str] = "toy_password"
    scheme: ClassVar[str | None] = None
    credentials: ClassVar[tuple[str, ...]] = ("toy_password",)
    algorithms: ClassVar[tuple[str, ...]] = ()

    def read(self, request: TokenRequest) -> Presented | OAuthError | None:
        if "toy_password" not in request.form:
            return None
        return Presented("toy_password", request.form.get("client_id", ""))

    def verify(
        self,
        presented: Presented,
        client: Client,
        request: TokenRequest,
        *,
        issuer: str,
        policy: TokenPolicy,
    ) -> OAuthError | None:
        return None


class ToyCertificate:
    """A third method without a parameter: the connection's certificate."""

    name: ClassVar[str] = "toy_tls"
    scheme: ClassVar[str | None] = None
    credentials: ClassVar[tuple[str, ...]] = ()
    algorithms: ClassVar[tuple[str, ...]] = ()

    def read(self, request: TokenRequest) -> Presented | OAuthError | None:
        if request.certificate is None:
            return None
        return Presented("toy_tls", request.form.get("client_id", ""))

    def verify(
        self,
        presented: Presented,
        client: Client,
        request: TokenRequest,
        *,
        issuer: str,
        policy: TokenPolicy,
    ) -> OAuthError | None:
        return None


def ticket(client_id: str, text: str) -> str:
    return f"Ticket {client_id}:{text}"


async def published(channel: BackChannel) -> Any:
    """The server's metadata."""
    routes = METADATA.routes(channel.services)
    return (await Asgi(routes)("GET", "/.well-known/oauth-authorization-server")).json


def test_the_offered_grants_and_methods_are_pinned_in_order() -> None:
    # the order is that of the metadata, which people read and clients store
    assert " ".join(one.name for one in GRANT_TYPES) == GRANT_NAMES
    assert [one.name for one in CLIENT_AUTH_METHODS] == [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none",
    ]


@pytest.mark.requirement(7)
def test_neither_implicit_nor_password_grant_is_on_the_list() -> None:
    assert not {"password", "implicit"} & {grant_type.name for grant_type in GRANT_TYPES}


@pytest.mark.requirement(40)
def test_no_symmetric_or_missing_algorithm_is_accepted_from_an_app() -> None:
    algorithms = [alg for method in CLIENT_AUTH_METHODS for alg in method.algorithms]
    assert not [alg for alg in algorithms if alg.startswith("HS") or alg.lower() == "none"]


def test_the_command_line_registers_apps_with_every_method() -> None:
    # "client_secret" means either way of sending it
    assert set(get_args(AuthChoice)) == {"client_secret", *(one.name for one in CLIENT_AUTH_METHODS)}


def test_the_openapi_document_names_every_grant_and_every_parameter() -> None:
    schema = document()["components"]["schemas"]["TokenRequest"]
    assert schema["properties"]["grant_type"]["enum"] == [one.name for one in GRANT_TYPES]
    read = {name for one in GRANT_TYPES for name in one.parameters}
    read |= {name for one in CLIENT_AUTH_METHODS for name in one.credentials}
    assert read <= set(schema["properties"])


def test_the_openapi_document_includes_a_grant_and_a_method_from_outside() -> None:
    word = Feature(name="words", adds=(CLIENT_AUTH.filled_by(lambda _: (ToyPassword(),)),))
    described = document(features=(*FEATURES, TOY_FEATURE, word))
    schema = described["components"]["schemas"]["TokenRequest"]
    assert TOY in schema["properties"]["grant_type"]["enum"]
    assert {"word", "toy_password"} <= set(schema["properties"])
    assert described["components"]["securitySchemes"]["ticket"]["description"] == TICKET
    assert {"ticket": []} in described["paths"]["/token"]["post"]["security"]


async def test_a_grant_from_outside_is_dispatched_and_counted() -> None:
    async with back_channel(features=(TOY_FEATURE,)) as channel:
        await channel.put(made.client(grant_types=(TOY,)))
        answer = await channel.ask({"grant_type": TOY, "word": "please"})
        assert isinstance(answer, TokenResponse)
        assert channel.claims(answer.access_token)["sub"] == "app_web"
        assert f'doorward_tokens_issued_total{{kind="{TOY}"}} 1.0'.encode() in channel.metrics.page()
        no = refused(await channel.ask({"grant_type": TOY, "word": "now"}), "invalid_grant")
        # the service logs for every grant which client was refused
        assert no.app == "web"
        assert b'doorward_refusals_total{kind="invalid_grant"} 1.0' in channel.metrics.page()


async def test_a_grant_receives_the_facts_of_its_request() -> None:
    heard = ToyGrant(tokens=None)  # pyright: ignore[reportArgumentType]
    plug = GrantType(name=TOY, parameters=(), build=lambda _: heard)
    async with back_channel(
        features=(Feature(name="heard", adds=(GRANTS.filled_by(lambda _: (plug,)),)),)
    ) as channel:
        await channel.put(made.client(grant_types=(TOY,)))
        await channel.ask({"grant_type": TOY})
    [request] = heard.asked
    assert (request.method, request.url, request.now) == ("POST", f"{made.ISSUER}/token", made.NOW)
    assert request.caller.address == "192.0.2.1"
    assert made.SECRET not in repr(request)


async def test_a_grant_is_refused_if_not_allowed_for_the_app_or_not_listed() -> None:
    async with back_channel(features=(TOY_FEATURE,)) as channel:
        no = refused(await channel.ask({"grant_type": TOY, "word": "please"}), "unauthorized_client")
        assert no.app == "web"
        # an unauthenticated caller must not learn which grants an app has
        unproven = await channel.exchange({"grant_type": TOY, "word": "please", "client_id": "app_web"})
        refused(unproven, "invalid_client")
    async with back_channel() as channel:
        await channel.put(made.client(grant_types=(TOY, "client_credentials")))
        refused(await channel.ask({"grant_type": TOY, "word": "please"}), "unsupported_grant_type")
        # an app registered for an unknown grant can still use the known ones
        assert isinstance(await channel.ask({"grant_type": "client_credentials"}), TokenResponse)


async def test_a_method_from_outside_is_dispatched_once_and_its_failures_are_counted_and_audited() -> None:
    async with back_channel(features=(TOY_FEATURE,)) as channel:
        await channel.put(made.client(auth_method=TICKET, secrets=()))
        form = {"grant_type": "client_credentials"}
        first = await channel.exchange(form, authorization=ticket("app_web", "toy-1"))
        assert isinstance(first, TokenResponse)
        again = refused(
            await channel.exchange(form, authorization=ticket("app_web", "toy-1")), "invalid_client"
        )
        assert again.app == "web"
        refused(await channel.exchange(form, authorization=ticket("app_web", "1")), "invalid_client")
        assert b"doorward_client_authentication_failures_total" in channel.metrics.page()
        assert await channel.audited("client.authentication_failed") >= 1
        # introspection and revocation accept it too
        asked = await channel.introspect(
            {"token": first.access_token},
            authorization=ticket("app_web", "toy-2"),
            caller=made.token_request().caller,
        )
        assert isinstance(asked, dict)
        assert asked["active"] is True


async def test_a_method_is_refused_to_apps_registered_for_another() -> None:
    async with back_channel(features=(TOY_FEATURE,)) as channel:
        form = {"grant_type": "client_credentials"}
        refused(await channel.exchange(form, authorization=ticket("app_web", "toy-1")), "invalid_client")
        refused(await channel.exchange(form, authorization=ticket("app_spa", "toy-1")), "invalid_client")
        refused(await channel.exchange(form, authorization=ticket("app_none", "toy-1")), "invalid_client")
        await channel.put(made.client(auth_method=TICKET))
        # a secret that is still registered does not replace it
        refused(await channel.exchange(form, authorization=basic(made.client())), "invalid_client")
    async with back_channel() as channel:
        await channel.put(made.client(auth_method=TICKET, secrets=()))
        no = refused(await channel.exchange(form, authorization=ticket("app_web", "toy-1")), "invalid_client")
        assert no.description == "Only Basic client authentication works in this header."


@pytest.mark.requirement(24)
async def test_two_methods_in_one_request_are_refused_even_if_one_is_from_outside() -> None:
    reader = CredentialReader(methods=(ToyTicket(), ToyPassword(), *CLIENT_AUTH_METHODS))
    for request in (
        made.token_request({"toy_password": "x"}, authorization=ticket("app_web", "toy-1")),
        made.token_request({"toy_password": "x"}, authorization=basic(made.client())),
        made.token_request({"toy_password": "x", "client_secret": "y", "client_id": "app_web"}),
        made.token_request({"client_secret": "y"}, authorization=ticket("app_web", "toy-1")),
    ):
        refused(reader.read(request), "invalid_request")
    found = reader.read(made.token_request({"toy_password": "x", "client_id": "app_web"}))
    assert found == Presented("toy_password", "app_web")


def test_a_method_without_a_parameter_is_tried_after_the_others_and_before_none() -> None:
    methods = (*CLIENT_AUTH_METHODS, ToyCertificate())
    for reader in (CredentialReader(methods=methods), CredentialReader(methods=methods[::-1])):
        bare = made.token_request({"client_id": "app_web"})
        assert reader.read(bare) == Presented("none", "app_web")
        held = made.token_request({"client_id": "app_web"}, certificate=b"der")
        assert reader.read(held) == Presented("toy_tls", "app_web")
        # a certificate may serve only to bind the token: the secret authenticates the app
        secret = {"client_id": "app_web", "client_secret": made.SECRET}
        shown = reader.read(made.token_request(secret, certificate=b"der"))
        assert isinstance(shown, Presented)
        assert shown.method == "client_secret_post"


async def test_the_metadata_equals_the_list() -> None:
    async with back_channel() as channel:
        plain = await published(channel)
    async with back_channel(features=(TOY_FEATURE,)) as channel:
        more = await published(channel)
    assert more["grant_types_supported"] == [*plain["grant_types_supported"], TOY]
    for endpoint in ("token", "introspection", "revocation"):
        methods = f"{endpoint}_endpoint_auth_methods_supported"
        assert more[methods] == [*plain[methods], TICKET]
        algorithms = f"{endpoint}_endpoint_auth_signing_alg_values_supported"
        assert more[algorithms] == [*plain[algorithms], "TOY256"]
    assert "none" not in plain["introspection_endpoint_auth_methods_supported"]


async def test_two_plugs_of_one_name_prevent_the_start() -> None:
    again = Feature(name="again", adds=(GRANTS.filled_by(lambda _: GRANT_TYPES[:1]),))
    with pytest.raises(ValueError, match="two grant types have one name"):
        async with back_channel(features=(again,)):
            pass
    again = Feature(name="again", adds=(CLIENT_AUTH.filled_by(lambda _: (ToyTicket(),)),))
    with pytest.raises(ValueError, match="two client authentication methods have one name"):
        async with back_channel(features=(TOY_FEATURE, again)):
            pass


async def test_two_methods_of_one_scheme_do_not_start() -> None:
    """One would replace the other, and its apps could not authenticate."""
    again = Feature(name="again", adds=(CLIENT_AUTH.filled_by(lambda _: (OtherTicket(),)),))
    with pytest.raises(ValueError, match="two client authentication methods have one scheme"):
        async with back_channel(features=(TOY_FEATURE, again)):
            pass
