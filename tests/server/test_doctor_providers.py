"""Tests of the doctor's check of external providers."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.features.authn.providers.build import identity_providers
from doorward.ops.doctor.checks.providers import providers
from tests.containers import settings
from tests.features.authn.providers.journey import journey

pytestmark = pytest.mark.anyio


async def test_without_a_provider_there_is_no_line() -> None:
    assert await providers(settings()) is None


async def test_each_provider_is_asked(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        found = await providers(there.front.settings)
        assert found is not None
        assert (found.ok, found.said) == (True, "example answers")
        there.provider.down = True
        found = await providers(there.front.settings)
        assert found is not None
        assert not found.ok
        assert "it answered 503" in found.said
        assert "doorward provider test" in found.fix


async def test_what_is_only_weak_is_a_warning(tmp_path: Path) -> None:
    async with journey(tmp_path, email_domains=()) as there:
        there.provider.metadata_spoiled = {"authorization_response_iss_parameter_supported": None}
        found = await providers(there.front.settings)
        assert found is not None
        assert found.ok
        assert "RFC 9207" in found.said
        assert "trusted for no address" in found.said


async def test_keys_of_other_algorithms_are_a_problem(tmp_path: Path) -> None:
    async with journey(tmp_path, signing_algs=("RS256",)) as there:
        examined = await there.front.services.get(identity_providers)["example"].examine(there.front.now)
        assert examined.problem == "its keys are for ES256, and signing_algs allows RS256"
