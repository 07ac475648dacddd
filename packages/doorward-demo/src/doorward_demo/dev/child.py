"""`python -m doorward_demo.dev.child MODULE ARGUMENT…`: run a module that ends when whoever started it ends.

Its standard input is a pipe whose other end only the parent holds. The kernel closes that end however the parent dies,
kill -9 included, and on every system alike; the thread here then ends this process as Ctrl+C would.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

_PATIENCE = 15.0
"""Seconds for a clean end; a process that is still there after that has nobody left who would notice."""


def main() -> None:
    """Watch the parent, and become the module."""
    module, *arguments = sys.argv[1:]
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(1)


if __name__ == "__main__":
    main()
