"""State of one drive: the values that one step leaves for the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from doorward_demo.demo import clock_and_random
from doorward_demo.demo.decoded import Decoded
from doorward_demo.demo.drive.authenticator import PasskeyHolder
from doorward_demo.demo.drive.browser import Browser
from doorward_demo.demo.drive.wire import Note, Wire, document
from doorward_demo.dev.state import State
from doorward_verify.keyset import KeySet, parse_jwks


class Person(Struct, frozen=True):
    """The person who signs up: an address without an account, and a password that cannot be guessed."""

    email: str
    name: str
    password: str


class Asked(Struct, frozen=True):
    """The values of an authorization request, to check its answer."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class Tokens(Struct, frozen=True):
    """The answer of the token endpoint."""

    access: str
    refresh: str
    identity: str
    expires_in: int


@dataclass(slots=True, kw_only=True)
class Journey:
    """The state of one drive."""

    state: State
    note: Note
    show_token: Callable[[str, Decoded], None]
    show_mail: Callable[[str, Sequence[str]], None]
    wire: Wire = field(init=False)
    browser: Browser = field(init=False)
    elsewhere: Browser = field(init=False)
    """The person's second browser, with a session of its own."""
    person: Person = field(init=False)
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: Asked | None = None
    code: str = ""
    tokens: Tokens | None = None
    passkey: PasskeyHolder | None = None
    stolen_refresh: str = ""
    codes: dict[str, Any] = field(default_factory=dict[str, Any])
    """Those of the command line."""
    ended_at: float = 0.0

    def __post_init__(self) -> None:
        self.wire = Wire(self.note)
        self.browser = Browser(self.issuer, self.note)
        self.elsewhere = Browser(self.issuer, self.note)
        tag = clock_and_random.token().replace("-", "x").replace("_", "y")[:10].lower()
        self.person = Person(
            f"dana.{tag}@example.com", "Dana Demo", f"demo {clock_and_random.token()[:20]} drive"
        )

    @property
    def issuer(self) -> str:
        """The server's address."""
        return self.state.places.issuer

    @property
    def api(self) -> str:
        """The API's address."""
        return self.state.places.api

    @property
    def has(self) -> Tokens:
        """The current tokens. Raises when a step without tokens needs them."""
        assert self.tokens is not None
        return self.tokens

    def new_browser(self) -> Browser:
        """Another browser, without the first one's cookies."""
        self.browser.close()
        self.browser = Browser(self.issuer, self.note)
        return self.browser

    def keys(self) -> KeySet:
        """The server's public keys."""
        answer = self.wire.send("GET", self.metadata["jwks_uri"], note=False)
        return parse_jwks(self.issuer, answer.content)

    def token_request(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Send a token request. The driver is a public app: it sends its client_id and no secret."""
        asked = {**form, "client_id": self.state.apps.driver.client_id}
        answer = self.wire.send("POST", self.metadata["token_endpoint"], form=asked)
        return answer.status_code, document(answer)

    def close(self) -> None:
        """Close all connections."""
        self.browser.close()
        self.elsewhere.close()
        self.wire.close()
