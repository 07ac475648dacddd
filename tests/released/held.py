"""Credentials of the released commit's clients, at a server of today's code on a copy of what that commit stored.

    with opened("sqlite", tmp_path, None) as old:            # the clock is at the time of the writing
        person, page, attempt = old.browser("second_factor")
        page = person.press(page, "second-factor", code=old.phone("kit"))
        tokens = old.app("own").redeem(attempt, page)

The issuer is unchanged; requests to it are sent to the port on which the server listens now.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pyotp.totp import TOTP

from tests.engines import Engine
from tests.flows.apps import App, Attempt, Tokens
from tests.flows.browsing import Cookie, Form, Page, Person
from tests.flows.running import RealTime, Running, running
from tests.released.tree import HERE
from tests.waiting import PATIENCE
from tools import system


class Through(httpx2.BaseTransport):
    """Sends every request to another port and keeps its Host header."""

    def __init__(self, server: Running) -> None:
        assert server.tls is not None
        self._inner = httpx2.HTTPTransport(verify=server.tls, trust_env=False)
        self._port = server.port

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        request.url = request.url.copy_with(port=self._port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class Returning(Person):
    """A browser that finds the server at its new port."""

    def __init__(self, server: Running) -> None:
        super().__init__(server.issuer, verify=server.tls)
        self._client.close()
        self._client = client_of(server)


def client_of(server: Running) -> httpx2.Client:
    """An HTTP client that uses the original issuer."""
    return httpx2.Client(
        transport=Through(server), base_url=server.issuer, follow_redirects=False, timeout=PATIENCE
    )


def written(engine: Engine) -> dict[str, Any]:
    """The credentials of the clients."""
    return json.loads((HERE / engine / "held.json").read_text("utf-8"))


def copied(engine: Engine, folder: Path, database: str | None) -> None:
    """Copy the database into `folder`, or into the empty PostgreSQL at `database`, and the secret key beside the settings."""
    shutil.copyfile(HERE / engine / "doorward.key", folder / "doorward.key")
    (folder / "doorward.key").chmod(0o600)
    if database is None:
        (folder / "doorward.db").write_bytes(
            gzip.decompress((HERE / "sqlite" / "doorward.db.gz").read_bytes())
        )
        return
    programs = system.postgres()
    assert isinstance(programs, Path)
    dump = gzip.decompress((HERE / "postgres" / "doorward.sql.gz").read_bytes())
    command = [str(programs / "psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-d", database]
    subprocess.run(command, input=dump, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)


@dataclass
class Held:
    """The server, and the credentials of its clients."""

    server: Running
    values: dict[str, Any]
    _closing: list[Any] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def clock(self) -> RealTime:
        """The server's clock."""
        return self.server.clock

    def person(self) -> Person:
        """A person with a fresh browser."""
        person = Returning(self.server)
        self._closing.append(person)
        return person

    def browser(self, name: str) -> tuple[Person, Page, Attempt]:
        """A browser of the released state: its cookies, its page, and what the app stored for the response."""
        kept = self.values["browsers"][name]
        person = self.person()
        person.cookies = {cookie: Cookie(*parts) for cookie, parts in kept["cookies"].items()}
        page, attempt = kept["page"] or {"url": "/", "status": 0, "links": {}, "forms": {}}, kept["attempt"]
        forms = {
            name: Form(
                form["action"],
                form["method"],
                form["fields"],
                {button: (sent[0], sent[1]) for button, sent in form["buttons"].items()},
            )
            for name, form in page["forms"].items()
        }
        shown = Page(page["url"], page["status"], forms=forms, links=page["links"])
        return person, shown, Attempt(**(attempt or dict.fromkeys(Attempt.__annotations__, "")))

    def app(self, name: str) -> App:
        """An app of the released state, with its secret."""
        kept = self.values["apps"][name]
        app = App(self.server.issuer, kept["client_id"], kept["secret"], kept["redirect_uri"])
        app.http.close()
        app.http = client_of(self.server)
        self._closing.append(app)
        return app

    def tokens(self, name: str) -> Tokens:
        """A token response of the released commit."""
        return Tokens(self.values[name])

    def phone(self, who: str) -> str:
        """A person's authenticator app, at the server's time."""
        return TOTP(self.values["phones"][who]).at(self.clock.now())

    def get(self, path: str, **params: str) -> httpx2.Response:
        """A GET without cookies."""
        with client_of(self.server) as http:
            return http.get(path, params=params)

    def close(self) -> None:
        """Close all connections."""
        for one in self._closing:
            one.close()


@contextmanager
def served(
    engine: Engine, folder: Path, database: str | None, *, later: int = 0, **sections: dict[str, Any]
) -> Generator[Held]:
    """A server on the copied data, at the time of the writing or `later`, for the duration of the block."""
    values = written(engine)
    clock = RealTime()
    clock.hold(values["written_at"] + later)
    with running(
        folder, https=True, sections=sections, database=database, issuer=values["issuer"], clock=clock
    ) as server:
        held = Held(server, values)
        try:
            yield held
        finally:
            held.close()
        assert server.troubles() == [], server.troubles()


@contextmanager
def opened(
    engine: Engine, folder: Path, database: str | None, *, later: int = 0, **sections: dict[str, Any]
) -> Generator[Held]:
    """The same on a fresh copy of what the released commit stored."""
    copied(engine, folder, database)
    with served(engine, folder, database, later=later, **sections) as held:
        yield held
