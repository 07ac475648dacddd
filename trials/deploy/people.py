"""Seed data of a deployment: an API, two apps and a person, created by commands as an operator does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from tests.flows.apps import App
from tests.flows.signing_in import tokens_by_challenge

Command = Callable[..., dict[str, Any]]
"""Runs `doorward` with these words and `--json`, with `said` on standard input. Returns the document."""
ISSUER = "https://auth.example.com"
API = "https://api.example.com"
PASSWORD = "teapot gravel orchid nine"
_CALLBACK = "https://shop.example.net/callback"


def seed(doorward: Command) -> tuple[App, App]:
    """The first-party app that signs people in, and the app that acts for itself."""
    doorward("api", "create", API, "--name", "orders", "--permission", "orders:read")
    doorward("role", "create", "customer", "--allow", "orders:orders:read", "--default")
    doorward("user", "create", "ada@example.com", "--password-stdin", said=PASSWORD + "\n")
    till = doorward("app", "create", "till", "--redirect", _CALLBACK, "--api", "orders", "--first-party")
    batch = doorward("app", "create", "batch", "--kind", "service", "--api", "orders")
    return (
        App(ISSUER, till["client_id"], till["client_secret"], _CALLBACK),
        App(ISSUER, batch["client_id"], batch["client_secret"]),
    )


def signs_in(till: App, base: str) -> bool:
    """Whether ada can sign in at `base` with her password, and her token can be refreshed."""
    till.base = base
    tokens = tokens_by_challenge(
        till, "ada@example.com", "openid offline_access orders:read", password=PASSWORD
    )
    return till.refresh(tokens.refresh).status_code == 200


def token(batch: App, base: str) -> bool:
    """Whether the app that acts for itself gets a token at `base`."""
    batch.base = base
    return batch.token(grant_type="client_credentials").status_code == 200


def status(url: str) -> int:
    """The status of an answer; 0 without one."""
    try:
        return httpx2.get(url, trust_env=False, timeout=5).status_code
    except httpx2.HTTPError:
        return 0
