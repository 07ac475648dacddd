"""Registration rules for token exchange: an app that cannot prove itself acts for nobody else."""

from __future__ import annotations

import pytest

from doorward.core.model.token_exchange import ExchangePolicy, IdJagTarget
from doorward.features.oauth.clients.rules.exchange_policy import MOST_APIS, exchange_problem
from doorward.features.oauth.clients.rules.registration import client_problem, needs_this_program
from tests.features import made

SERVER = {"https://auth.partner.example": IdJagTarget(client_id="theirs")}


@pytest.mark.parametrize(
    ("policy", "public", "confidential"),
    [
        (ExchangePolicy(), None, None),
        (ExchangePolicy(apis=("a",)), None, None),
        (ExchangePolicy(apis=("a",), impersonate=True), "public_app_for_others", None),
        (ExchangePolicy(id_jag=SERVER), "public_app_for_others", None),
        (ExchangePolicy(apis=("a",) * (MOST_APIS + 1)), "out_of_range", "out_of_range"),
    ],
)
def test_what_each_app_may_be_allowed(
    policy: ExchangePolicy, public: str | None, confidential: str | None
) -> None:
    for client, expected in (
        (made.public(exchange=policy), public),
        (made.client(exchange=policy), confidential),
    ):
        found = exchange_problem(client)
        assert (found and found.code) == expected
    assert exchange_problem(made.client()) is None


def test_another_server_is_a_web_address() -> None:
    bad = ExchangePolicy(id_jag={"ftp://auth.partner.example": IdJagTarget(client_id="theirs")})
    found = client_problem(made.client(exchange=bad), native=False)
    assert found is not None
    assert found.code == "uri_scheme_not_web"
    assert client_problem(made.client(exchange=ExchangePolicy(id_jag=SERVER)), native=False) is None


def test_an_app_that_exchanges_needs_programs_that_know_it() -> None:
    assert not needs_this_program(made.client())
    assert needs_this_program(made.client(exchange=ExchangePolicy()))
    assert needs_this_program(made.client(may_act="app_api"))
    assert needs_this_program(made.client(second_factor="required"))
