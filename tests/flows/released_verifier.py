"""doorward-verify from before the feed had pages, in a separate process: its sources are in `tests/verify/released`.

with released_verifier(server.issuer, API) as verify:
    assert verify(token) == "good"
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import PATIENCE

SOURCES = Path(__file__).parents[1] / "verify" / "released" / "doorward_verify-first.zip"
_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import doorward_verify
from doorward_verify import Refused, ResourceServer
assert doorward_verify.__file__.startswith(sys.argv[1]), doorward_verify.__file__
with ResourceServer(sys.argv[2], sys.argv[3], wait=60) as auth:
    for line in sys.stdin:
        try:
            auth.verify(line.strip())
            said = "good"
        except Refused as refused:
            said = refused.reason
        print(said, flush=True)
"""


@contextmanager
def released_verifier(issuer: str, audience: str) -> Generator[Callable[[str], str]]:
    """A function that says why a token is refused, or "good"."""
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(SOURCES), issuer, audience],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    asked, said = program.stdin, program.stdout

    def verify(token: str) -> str:
        asked.write(f"{token}\n")
        asked.flush()
        return said.readline().strip()

    try:
        yield verify
    finally:
        asked.close()
        program.wait(PATIENCE)
        said.close()
