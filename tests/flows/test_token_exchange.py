"""Token exchange over HTTP: an API calls the next one for a person, which sees who acts, until the person's sign-in ends."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.adapters.os_user import os_actor
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.admin import build as admin
from doorward.features.oauth.grants.token_exchange.build import TOKEN_EXCHANGE
from doorward.features.oauth.grants.token_exchange.rules.request import ACCESS_TOKEN
from doorward.features.services import Services
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import Tokens, good, refused
from tests.flows.running import Running
from tests.flows.seeds import API, House
from tests.flows.signing_in import tokens_by_challenge
from tests.waiting import keeps

ENGINES = POSTGRES_IN_SOAK
BILLING = "https://billing.example.com"


@pytest.fixture(scope="module")
def allowed(server: Running, house: House) -> House:
    """The app of the orders API may exchange tokens for the billing API, where customers may read."""

    async def work(services: Services) -> None:
        await services.get(admin.apis).create(
            os_actor(), BILLING, name="Billing", permissions=(Permission("orders:read"),)
        )
        await services.get(admin.roles).update(
            os_actor(), "customer", allow=[f"{API}:orders:read", f"{BILLING}:orders:read"]
        )
        await services.get(admin.apps).update(
            os_actor(),
            "Orders API",
            lambda old: structs.replace(
                old,
                grant_types=(*old.grant_types, TOKEN_EXCHANGE.name),
                exchange=ExchangePolicy(apis=(BILLING,)),
            ),
            access=(f"{BILLING}:orders:read",),
        )

    server.operate(work)
    return house


def exchanged(house: House, token: str) -> Tokens:
    return good(
        house.reader.token(
            grant_type=TOKEN_EXCHANGE.name,
            subject_token=token,
            subject_token_type=ACCESS_TOKEN,
            resource=BILLING,
        )
    )


@pytest.mark.requirement(36, 58, 67)
def test_the_next_api_sees_who_acts_and_refuses_within_a_second_of_the_end(
    server: Running, allowed: House
) -> None:
    house = allowed
    with server.api(BILLING) as billing, server.api(API) as orders:

        def until_refused() -> float:
            tokens = tokens_by_challenge(house.own, "ada@example.com", "openid orders:read")
            # the token of the first API is nothing to the second one
            assert orders.verify(tokens.access).actor is None
            assert billing.refusal(tokens.access) == "audience"
            new = exchanged(house, tokens.access)
            assert (new.body["issued_token_type"], "refresh_token" in new.body) == (ACCESS_TOKEN, False)
            who = billing.verify(new.access)
            assert who.actor is not None
            assert (who.sub, who.permissions) == (tokens.claims["sub"], {"orders:read"})
            assert who.actor.chain == (who.client_id,) == (house.reader.client_id,)
            shown = house.reader.post("/introspect", token=new.access).json()
            assert (shown["active"], shown["act"]) == (True, {"sub": house.reader.client_id})
            assert house.own.post("/revoke", token=tokens.refresh).status_code == 200
            took, why = billing.refused_after(new.access)
            assert why == "revoked"
            assert house.reader.post("/introspect", token=new.access).json() == {"active": False}
            return took

        keeps(1, until_refused)


def test_what_cannot_be_exchanged_is_refused_by_name(allowed: House) -> None:
    form = {"grant_type": TOKEN_EXCHANGE.name, "subject_token_type": ACCESS_TOKEN, "resource": BILLING}
    for token in ("x", "é", "a.b.c", "." * 2000):
        refused(allowed.reader.token(**form, subject_token=token), "invalid_request")
    own = tokens_by_challenge(allowed.own, "ada@example.com", "openid orders:read")
    refused(allowed.service.token(**form, subject_token=own.access), "unauthorized_client")
    refused(
        allowed.reader.token(**{**form, "resource": "https://nowhere.example"}, subject_token=own.access),
        "invalid_target",
    )
