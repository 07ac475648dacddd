"""Backends of social-auth-core, unmodified, against a stand-in that answers for the services' own host names.

Only the connection is led elsewhere: `led_to` replaces the address to which urllib3 connects, as a hosts file would.
"""

from __future__ import annotations

import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from social_core.backends.oauth import BaseOAuth2
from social_core.storage import AssociationMixin
from social_core.strategy import BaseStrategy

from tests.stand_ins.openid import OpenIdStandIn, Returned
from tests.waiting import PATIENCE


class _Associations:
    """The client's store of nonces."""

    kept: dict[tuple[str, str], Any]

    def __init__(self) -> None:
        self.kept = {}

    def store(self, url: str, association: Any) -> None:
        kept = AssociationMixin()
        kept.__dict__.update(vars(association), id=association.handle)
        self.kept[url, association.handle] = kept

    def get(self, server_url: str, handle: str) -> list[Any]:
        found = self.kept.get((server_url, handle))
        return [] if found is None else [found]

    def remove(self, ids: Sequence[str]) -> None:
        self.kept = {key: one for key, one in self.kept.items() if key[1] not in ids}


class _Nonces:
    """The client's store of states, each of which is used once."""

    kept: set[tuple[str, int, str]]

    def __init__(self) -> None:
        self.kept = set()

    def use(self, server_url: str, timestamp: int, salt: str) -> bool:
        self.kept.add((server_url, timestamp, salt))
        return True

    def consume(self, server_url: str, timestamp: int, salt: str) -> bool:
        found = (server_url, timestamp, salt) in self.kept
        self.kept.discard((server_url, timestamp, salt))
        return found


class _Storage:
    def __init__(self) -> None:
        self.association = _Associations()
        self.nonce = _Nonces()


class Site(BaseStrategy[str]):
    """A site that uses the library: its settings, one session, and the request that came last. It ends with the response of the backend
    instead of an account."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(storage=_Storage())  # type: ignore[arg-type]
        self.settings = settings
        self.session: dict[str, Any] = {}
        self.data: dict[str, str] = {}

    def get_setting(self, name: str) -> Any:
        return self.settings[name.removeprefix("SOCIAL_AUTH_")]

    def get_request_data(self, merge: bool = True) -> dict[str, str]:
        return self.data

    def session_get(self, name: str, default: Any = None) -> Any:
        return self.session.get(name, default)

    def session_set(self, name: str, value: Any) -> None:
        self.session[name] = value

    def session_pop(self, name: str) -> Any:
        return self.session.pop(name, None)

    def build_absolute_uri(self, path: str | None = None) -> str:
        return path or "https://site.example/"

    def request_host(self) -> str:
        return "site.example"

    def redirect(self, url: str) -> str:
        return url

    def authenticate(self, backend: Any, *args: Any, **kwargs: Any) -> Any:
        return kwargs["response"]


def begin(backend: type[BaseOAuth2[str]], site: Site) -> str:
    """The address to which the site sends the browser."""
    return backend(site, redirect_uri=site.settings["REDIRECT"]).auth_url()


def complete(
    backend: type[BaseOAuth2[str]], site: Site, back: Returned
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the backend made of the answer: its response, and the details of the person."""
    site.data = back.fields
    made = backend(site, redirect_uri=site.settings["REDIRECT"])
    response = made.auth_complete()
    assert isinstance(response, dict)
    return response, made.get_user_details(response)


@contextmanager
def led_to(service: OpenIdStandIn, ca_file: str) -> Generator[None]:
    """All https connections go to the stand-in, which has a certificate for its hosts."""
    port = urlsplit(service.origin).port
    service.hosted = True

    def connect(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        assert address[1] == 443, address
        return socket.create_connection(("127.0.0.1", port or 0), timeout=PATIENCE)

    with (
        patch("urllib3.util.connection.create_connection", connect),
        patch.dict("os.environ", {"REQUESTS_CA_BUNDLE": ca_file}),
    ):
        yield
