"""Passkeys in the sign-in flow: which rows count for which kind of proof."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.signin import Proof
from doorward.features.authn.factors.passkeys.factor import passkey_factors
from doorward.features.authn.flow.build import offered_factors
from doorward.features.authn.flow.rules.standing import mark
from tests.people import House, open_house

pytestmark = pytest.mark.anyio
ACCOUNT = Account(id="usr_1", email="ada@example.com", created_at=1)
PHONE = EnrolledFactor(id="fac_1", account_id="usr_1", kind="passkey", created_at=10)
KEY = EnrolledFactor(id="fac_2", account_id="usr_1", kind="security_key", created_at=20)


async def test_every_row_gives_passkeys_and_only_the_owners_wish_asks_after_a_password(house: House) -> None:
    passkey, key = passkey_factors(house.services)
    made = (passkey, key)
    assert [one.enrolled(ACCOUNT, [PHONE]) for one in made] == [True, False]
    assert [one.enrolled(ACCOUNT, [KEY]) for one in made] == [True, True]
    assert [one.enrolled(ACCOUNT, []) for one in made] == [False, False]
    assert passkey.traits.comes_first
    assert not passkey.traits.always_asked
    assert key.traits.always_asked


@pytest.mark.requirement(94)
async def test_a_proof_of_either_kind_stands_by_rows_of_both(house: House) -> None:
    for factor in passkey_factors(house.services):
        proof = Proof(factor.traits.kind, 15, ("swk", "user"), phishing_resistant=True)
        assert factor.stands(proof, ACCOUNT, [PHONE])
        assert not factor.stands(proof, ACCOUNT, [KEY])
        marked = Proof(factor.traits.kind, 15, ("swk", "user"), against=mark(KEY))
        assert factor.stands(marked, ACCOUNT, [PHONE, KEY])
        assert not factor.stands(marked, ACCOUNT, [PHONE])
        assert not factor.stands(proof, ACCOUNT, [])


async def test_an_issuer_without_a_name_has_none() -> None:
    async with open_house() as house:
        structs.force_setattr(house.services, "issuer", "https://192.0.2.1")
        house.services._built.clear()
        assert not any(factor.offered for factor in passkey_factors(house.services))
        assert not house.services.get(offered_factors).kinds & {"passkey", "security_key"}
