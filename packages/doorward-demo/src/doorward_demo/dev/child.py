"""`python -m doorward_demo.dev.child MODULE ARGUMENT…`: runs a module that ends together with its parent process.

Its standard input is a pipe whose other end only the parent holds. The kernel closes that end however the parent dies,
including kill -9, on every system; the thread here then ends this process as Ctrl+C would.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

_PATIENCE = 15.0
"""Seconds for a clean end; then the process is killed, as no parent is left to do it."""


def main() -> None:
    """Watch the parent, and run the module in this process."""
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
