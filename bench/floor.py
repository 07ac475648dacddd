"""Upper limits that this machine, this load and this framework set."""

import sys

from bench import requests
from bench.answers import check_token_answer
from bench.connection import Group
from bench.load import Result, run
from bench.process import BUILD, free_port, running, wait_until_listening

CONNECTIONS = 32


def _drive(module: str, name: str, core: int, *, open_one: bool, warm_up: float, seconds: float) -> Result:
    port = free_port()
    log = BUILD / "bench" / f"{module}.log"
    fields = {
        "grant_type": "client_credentials",
        "scope": "orders:read orders:write",
        "resource": "https://orders.example.com",
    }
    request = requests.form(f"127.0.0.1:{port}", "/token", fields, requests.basic("bench", "secret"))
    with running([sys.executable, "-m", f"bench.floors.{module}", str(port)], core=core, log=log) as process:
        wait_until_listening(process, port, seconds=15, log=log)
        if open_one:
            check_token_answer(port, request, refresh=False)
        group = Group(name, [requests.always(request) for _ in range(CONNECTIONS)])
        return run("127.0.0.1", port, [group], warm_up=warm_up, seconds=seconds)[0]


def load_limit(core: int, *, warm_up: float, seconds: float) -> Result:
    """Apply the load to a server that does nothing."""
    return _drive("trivial", "load limit", core, open_one=False, warm_up=warm_up, seconds=seconds)


def bare_asgi(core: int, *, warm_up: float, seconds: float) -> Result:
    """Apply the load to a bare handler that signs ES256."""
    return _drive("bare_asgi", "bare ASGI handler", core, open_one=True, warm_up=warm_up, seconds=seconds)
