"""Tests of the doctor's check of external providers."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.features.authn.providers.build import identity_providers
from doorward.ops.doctor.checks.providers import providers
from tests.containers import settings
from tests.features.authn.providers.at_service import at_service
from tests.features.authn.providers.journey import journey
from tests.stand_ins.facebook import FacebookStandIn

pytestmark = pytest.mark.anyio


async def test_without_a_provider_there_is_no_line() -> None:
    assert await providers(settings()) is None


async def test_each_provider_is_asked(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        found = await providers(there.front.settings)
        assert found is not None
        assert (found.ok, found.said) == (True, "example answers (openid)")
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


async def test_a_service_without_metadata_is_named_with_what_ends_soon(tmp_path: Path) -> None:
    async with at_service(FacebookStandIn, "facebook", tmp_path, api_version="v20.0") as there:
        found = await providers(there.front.settings)
        assert found is not None
        assert found.ok
        assert found.said.startswith("facebook answers (facebook). facebook: version v20.0")
        assert "ended on 2026-09-24" in found.said
        there.service.statuses = {"/v20.0/dialog/oauth": 502}
        found = await providers(there.front.settings)
        assert found is not None
        assert not found.ok
        assert "/v20.0/dialog/oauth: it answered 502" in found.said
