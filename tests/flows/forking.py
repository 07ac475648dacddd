"""Program that has imported the server and forks a server process for each request; run as a script by `tests/flows/forked.py`.

One JSON line on standard input is a request, one on standard output its answer:

    {"start": {"environ": {…}, "folder": "…", "log": "…"}}   ->  {"pid": 7}
    {"reap": 7}                                              ->  {"status": 0}, once process 7 has ended

At the end of its input it kills the servers that still run.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from doorward.app import container
from doorward.app.process import page_render
from doorward.app.routes import openapi_document
from doorward.server import worker
from doorward.server.__main__ import main
from doorward.settings.tree import Settings
from tests import lent_keys
from tests.containers import CHEAP, cheap_hasher

_NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def serve(environ: dict[str, str], folder: str, log: str) -> NoReturn:
    """In the fork: what `subprocess` does for a new program, then the server's own entry point."""
    status = 1
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for here, descriptor in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(here, descriptor)
        os.closerange(3, 256)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environ)
        for number in _NUMBERS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if CHEAP in environ:
            container.Argon2Hasher = cheap_hasher
        status = main([])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def answers() -> None:
    """Answer requests until the input ends."""
    running: set[int] = set()
    for line in sys.stdin.buffer:
        asked: dict[str, Any] = json.loads(line)
        if "start" in asked:
            pid = os.fork()
            if pid == 0:
                serve(**asked["start"])
            running.add(pid)
            answer = {"pid": pid}
        else:
            pid = asked["reap"]
            _, status = os.waitpid(pid, 0)
            running.discard(pid)
            answer = {"status": os.waitstatus_to_exitcode(status)}
        os.write(1, json.dumps(answer).encode() + b"\n")
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def warm() -> None:
    """Load what every server loads, and compile its pages: what depends on nothing but the sources."""
    assert worker.serve
    asyncio.run(openapi_document(Settings(issuer="https://auth.example.com")))
    page_render.warm_up()
    lent_keys.share(pytest.MonkeyPatch())
    lent_keys.make_all()
    # a fork has only the thread that forked
    assert threading.active_count() == 1, threading.enumerate()
    # the memory is shared as long as nobody writes into it, and the collector would
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    warm()
    answers()
