"""Doorward under the benchmark, with the credentials of its clients.

One process on one core, a SQLite file on the disk of build/ (synchronous FULL, as everywhere), everything set
up by the commands that an operator uses. Nothing is disabled for the benchmark.
"""

import base64
import contextlib
import functools
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench import requests
from bench.answers import NotTheWork, check_token_answer, exchange
from bench.connection import Flow
from bench.process import BUILD, free_port, rss_mib, running, wait_until_listening

CONNECTIONS = 32
FAMILIES_PER_CONNECTION = 5
PEOPLE = 16
RESOURCE = "https://orders.example.com"
SCOPE = "orders:read orders:write"
NEXT_RESOURCE = "https://billing.example.com"
"""The API for which the API of `RESOURCE` exchanges tokens."""
_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Person:
    """A person who can sign in."""

    email: str
    password: str


@dataclass(frozen=True, slots=True)
class App:
    """An app that signs people in: its Basic credentials, its scopes, and the algorithm of its ID tokens, if
    it gets any."""

    basic: str
    scope: str
    id_token: str | None = None


def sign_in(host: str, person: Person, challenge: str, app: App) -> bytes:
    """The request that signs a person in at an app through the JSON endpoint, in one step."""
    members = {
        "username": person.email,
        "password": person.password,
        "scope": app.scope,
        "resource": RESOURCE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    body = msgspec.json.encode(members)
    return requests.post(host, "/authorize-challenge", body, "application/json", app.basic)


@dataclass(frozen=True, slots=True)
class Server:
    """A running Doorward: its port, the Basic credentials of its apps, and its people. `rs256` and `es256`
    get ID tokens, `web` requests none; `exchanger` is the app of the API, which exchanges the tokens of the others;
    `api_key` is a key of `service`."""

    port: int
    pid: int
    service: str
    exchanger: str
    api_key: str
    web: App
    rs256: App
    es256: App
    people: Sequence[Person]

    @property
    def host(self) -> str:
        """Value of the Host header."""
        return f"127.0.0.1:{self.port}"

    def client_credentials(self) -> bytes:
        """The request for a token of the app itself."""
        fields = {"grant_type": "client_credentials", "scope": SCOPE, "resource": RESOURCE}
        return requests.form(self.host, "/token", fields, self.service)

    def client_credentials_flows(self) -> list[Flow]:
        """32 connections that send it, after one answer has been checked."""
        request = self.client_credentials()
        check_token_answer(self.port, request, refresh=False)
        return [requests.always(request) for _ in range(CONNECTIONS)]

    def subject_tokens(self) -> list[str]:
        """An access token for each connection, of people who signed in."""
        with ThreadPoolExecutor(max_workers=4) as pool:
            people = [self.people[n % len(self.people)] for n in range(CONNECTIONS)]
            return [
                str(one["access_token"])
                for one in pool.map(lambda person: self._signed_in(person, self.web), people)
            ]

    def token_exchange_flows(self, tokens: Sequence[str]) -> list[Flow]:
        """A connection for each token that exchanges it, after one answer has been checked."""
        every = [
            requests.form(
                self.host,
                "/token",
                {
                    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                    "subject_token": token,
                    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
                    "resource": NEXT_RESOURCE,
                },
                self.exchanger,
            )
            for token in tokens
        ]
        check_token_answer(self.port, every[0], refresh=False)
        return [requests.always(request) for request in every]

    def api_key_flows(self) -> list[Flow]:
        """32 connections that exchange the API key, after one answer has been checked."""
        fields = {"grant_type": "urn:doorward:grant-type:api-key", "api_key": self.api_key}
        request = requests.form(self.host, "/token", fields)
        check_token_answer(self.port, request, refresh=False)
        return [requests.always(request) for _ in range(CONNECTIONS)]

    def sign_in_flows(self, connections: int) -> list[Flow]:
        """Connections that sign in one person after the other, each beginning with another one."""
        _, challenge = pkce()
        every = [sign_in(self.host, person, challenge, self.web) for person in self.people]
        shift = max(1, len(every) // connections)
        starts = [number * shift % len(every) for number in range(connections)]
        return [requests.in_turn(every[start:] + every[:start]) for start in starts]

    def new_families(self, app: App) -> list[deque[str]]:
        """New refresh families from complete sign-ins, distributed over the connections; one of them has been checked."""
        count = CONNECTIONS * FAMILIES_PER_CONNECTION
        with ThreadPoolExecutor(max_workers=4) as pool:
            people = (self.people[n % len(self.people)] for n in range(count))
            tokens = list(pool.map(lambda person: self._family(person, app), people))
        fields = {"grant_type": "refresh_token", "refresh_token": tokens[0]}
        request = requests.form(self.host, "/token", fields, app.basic)
        answer = check_token_answer(self.port, request, refresh=True, id_token=app.id_token)
        tokens[0] = str(answer["refresh_token"])
        return requests.shared_out(tokens, CONNECTIONS)

    def _family(self, person: Person, app: App) -> str:
        return str(self._signed_in(person, app)["refresh_token"])

    def _signed_in(self, person: Person, app: App) -> dict[str, Any]:
        verifier, challenge = pkce()
        status, body = exchange(self.port, sign_in(self.host, person, challenge, app))
        if status != 200:
            raise NotTheWork(f"signing in answered {status}: {body[:300].decode(errors='replace')}")
        code = msgspec.json.decode(body, type=dict[str, Any])["authorization_code"]
        fields = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        request = requests.form(self.host, "/token", fields, app.basic)
        return check_token_answer(self.port, request, refresh=True, id_token=app.id_token)

    def refresh_flows(self, app: App, families: list[deque[str]]) -> list[Flow]:
        """32 connections that rotate, each with its own families."""
        return [requests.rotation(self.host, "/token", app.basic, mine) for mine in families]

    def worker_mib(self, *, highest: bool = False) -> float:
        """Resident memory of the worker, current or peak, in MiB."""
        return rss_mib(self.worker_pid(), highest=highest)

    def worker_pid(self) -> int:
        """The process that serves: the largest child, or the process itself."""
        return max(_children(self.pid) or [self.pid], key=rss_mib)


def pkce() -> tuple[str, str]:
    """A code verifier and its challenge (RFC 7636 §4)."""
    verifier = secrets.token_urlsafe(32)
    hashed = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def operate(
    config: Path, *arguments: str, given: str | None = None, python: str = sys.executable
) -> dict[str, Any]:
    """Run one Doorward command with --json. Raises RuntimeError with its output when it fails."""
    done = subprocess.run(
        [python, "-m", "doorward", *arguments, "--config", str(config), "--json"],
        input=given,
        capture_output=True,
        text=True,
        cwd=config.parent,
        timeout=60,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-600:]
        raise RuntimeError(f"doorward {' '.join(arguments)} ended with {done.returncode}: {said}")
    return msgspec.json.decode(done.stdout, type=dict[str, Any])


def set_up(config: Path, python: str = sys.executable) -> tuple[str, str, str, list[App], list[Person]]:
    """Create apps, APIs and people by commands: the members of `Server` after `pid`, the apps as one."""
    run = functools.partial(operate, config, python=python)
    permissions = SCOPE.split()
    allowed = f"{RESOURCE}:{','.join(permissions)}"
    named = [part for name in permissions for part in ("--permission", name)]
    run("api", "create", RESOURCE, "--name", "Orders", *named)
    run("api", "create", NEXT_RESOURCE, "--name", "Billing", *named)
    onward = f"{NEXT_RESOURCE}:{','.join(permissions)}"
    run("role", "create", "buyer", "--allow", allowed, "--allow", onward)
    # before the people: an app exchanges tokens five seconds after it was allowed to
    exchanger = run("app", "create", "Orders", "--kind", "service", "--api", onward)
    run("api", "introspect-as", "Orders", "Orders")
    run("app", "exchange", "Orders", "--api", "Billing")
    service = run("app", "create", "Nightly", "--kind", "service", "--api", allowed)
    shop = ("--first-party", "--redirect", "https://shop.example.com/callback", "--api", allowed)
    apps: list[App] = []
    for name, alg, openid in (
        ("Shop", "RS256", False),
        ("Reader", "RS256", True),
        ("Old reader", "ES256", True),
    ):
        made = run("app", "create", name, "--id-token-signed-alg", alg, *shop)
        scope = f"openid {SCOPE}" if openid else SCOPE
        apps.append(App(credentials(made), scope, alg if openid else None))
    people = [
        Person(f"person-{number}@example.com", f"bench {secrets.token_urlsafe(18)}")
        for number in range(PEOPLE)
    ]

    def create(person: Person) -> None:
        given = person.password
        run("user", "create", person.email, "--role", "buyer", "--password-stdin", given=given)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(create, people))
    key = run("api-key", "create", "Nightly", "--name", "bench", "--api", "Orders")
    return credentials(service), credentials(exchanger), str(key["key"]), apps, people


def credentials(app: dict[str, Any]) -> str:
    return requests.basic(str(app["client_id"]), str(app["client_secret"]))


@contextlib.contextmanager
def started(core: int, *, database: str | None = None, python: str = sys.executable) -> Generator[Server]:
    """A new Doorward on `core` with its apps and people: on a SQLite file, or in the empty `database` (a URL); with `python`
    the Doorward of that interpreter. Raises RuntimeError when it does not start."""
    # A separate folder, so that two simultaneous runs do not delete each other's database.
    home = BUILD / "bench" / f"server-{os.getpid()}-{free_port()}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    port = free_port()
    config = home / "doorward.toml"
    config.write_text(
        f'issuer = "http://127.0.0.1:{port}"\ndatabase = "{database or home / "doorward.db"}"\n'
        f'[server]\nport = {port}\n[log]\nlevel = "warning"\n'
    )
    try:
        service, exchanger, api_key, apps, people = set_up(config, python)
        command = [python, "-m", "doorward", "serve", "--config", str(config)]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        log = BUILD / "bench" / "server.log"
        with running(command, core=core, log=log) as process:
            wait_until_listening(process, port, seconds=_START_SECONDS, log=log)
            yield Server(port, process.pid, service, exchanger, api_key, *apps, people=people)
    finally:
        shutil.rmtree(home, ignore_errors=True)
