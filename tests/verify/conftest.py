"""A running issuer, and tokens minted without one."""

from collections.abc import Generator

import pytest

from doorward_verify.testing import doorward_tokens
from tests.verify.issuer import Issuer, running

__all__ = ["doorward_tokens"]


@pytest.fixture
def issuer() -> Generator[Issuer]:
    with running() as started:
        yield started
