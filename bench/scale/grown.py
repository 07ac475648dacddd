"""Growth of the databases: a seed with the apps, made by an operator's own commands, then each size from the
smaller one.

`state.json` beside the databases records what exists, so that an interrupted run continues where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from bench.scale import content
from bench.scale.content import World
from bench.scale.grounds import Ground
from bench.server import RESOURCE, SCOPE, credentials, operate
from doorward.storage.sql.migrate import known

Tell = Callable[[str], None]
SEED = "seed"


class State(msgspec.Struct):
    """One engine's databases: the migrations that made them, values common to their rows, the Basic
    credentials of their apps, and which sizes exist.

    `held` are the refresh tokens that replaced a grant's first one, by size and grant number.
    """

    schema: str
    begins_ms: int
    client_id: str
    service: str
    web: str
    made: dict[str, float] = {}
    held: dict[str, dict[int, str]] = {}

    @property
    def world(self) -> World:
        """The values from which all rows are computed."""
        return World(self.begins_ms, self.client_id)


def label(grants: int) -> str:
    """A size in short form: 10k, 1m."""
    for unit, name in ((1_000_000, "m"), (1000, "k")):
        if grants % unit == 0:
            return f"{grants // unit}{name}"
    return str(grants)


def config(folder: Path, ground: Ground, name: str, port: int = 4000) -> Path:
    """Write the settings of a server on that database and return their path. All databases of an engine share
    one secret key."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{ground.name}-{name}.toml"
    path.write_text(
        f'issuer = "http://127.0.0.1:{port}"\ndatabase = "{ground.url(name)}"\n'
        f'[server]\nport = {port}\n[keys]\nsecret_key_file = "{folder / f"{ground.name}.key"}"\n'
        # Of ten thousand grants each is used every second; with a leeway its row would have a long list of
        # spent tokens.
        '[tokens]\nrefresh_leeway = 0\n[log]\nlevel = "warning"\n'
    )
    return path


class Growing:
    """The databases of one engine in one folder."""

    def __init__(self, folder: Path, ground: Ground, tell: Tell) -> None:
        self._file = folder / f"{ground.name}.json"
        self._folder = folder
        self._ground = ground
        self._tell = tell

    def grow(self, sizes: Sequence[int]) -> State:
        """Create the missing sizes, in ascending order."""
        state = self._state()
        before, first = SEED, 0
        for grants in sizes:
            name = label(grants)
            if name not in state.made:
                self._make(state, name, before, first, grants)
            before, first = name, grants
        return state

    def save(self, state: State) -> None:
        """Save the current state."""
        self._file.write_bytes(msgspec.json.encode(state))

    def expire(self, state: State, grants: int, count: int) -> None:
        """Add `count` rows for the sweep to the database of that size."""
        self._tell(f"{self._ground.name}: {count:,} expired rows")
        self._ground.expire(label(grants), state.world, count)

    def _state(self) -> State:
        schema = _schema(self._ground.name)
        if self._file.exists():
            state = msgspec.json.decode(self._file.read_bytes(), type=State)
            if state.schema == schema:
                return state
            self._tell(f"{self._ground.name}: the schema has changed, all databases are made anew")
        self._tell(f"{self._ground.name}: a new database with its apps")
        self._ground.drop(SEED)
        self._ground.create(SEED)
        path = config(self._folder, self._ground, SEED)
        permissions = SCOPE.split()
        allowed = f"{RESOURCE}:{','.join(permissions)}"
        named = [part for name in permissions for part in ("--permission", name)]
        operate(path, "api", "create", RESOURCE, "--name", "Orders", *named)
        operate(path, "role", "create", "buyer", "--allow", allowed)
        service = operate(path, "app", "create", "Nightly", "--kind", "service", "--api", allowed)
        shop = ("--first-party", "--redirect", "https://shop.example.com/callback", "--api", allowed)
        # its refreshes give ID tokens, and RSA must not hide the cost of the database
        web = operate(path, "app", "create", "Shop", "--id-token-signed-alg", "ES256", *shop)
        state = State(
            schema=schema,
            begins_ms=int(time.time() * 1000) - content.SPAN_MS,
            client_id=str(web["client_id"]),
            service=credentials(service),
            web=credentials(web),
        )
        self.save(state)
        return state

    def _make(self, state: State, name: str, before: str, first: int, grants: int) -> None:
        added = f"{grants - first:,} grants and {content.people_of(grants - first):,} people"
        self._tell(f"{self._ground.name}: {name} = {before} and {added}")
        began = time.monotonic()
        self._ground.copy(before, name)
        self._ground.fill(name, state.world, first, grants)
        state.made[name] = time.monotonic() - began
        self.save(state)


def _schema(engine: str) -> str:
    return " ".join(migration.checksum for migration in known(engine))
