"""Entry point `python -m doorward.server`: the process that serves, alone or as supervisor of workers that share one socket.

Each process reads its settings from the environment, `DOORWARD_CONFIG` and `DOORWARD_*`, as `app.process` does in every worker.
SIGTERM stops gracefully; SIGHUP restarts with new settings and new code without losing a request (docs/guides/deploy.md).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from msgspec import structs

from doorward.adapters import logs
from doorward.server import worker_args
from doorward.server.sockets import bind_all, handed, inherited
from doorward.server.supervisor import Supervisor, become
from doorward.settings import Settings, SettingsError, load


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT. Exit status 0 after a clean stop, 1 when the server could not start or all workers kept
    dying."""
    if arguments and arguments[0].isdigit():
        os.environ["DOORWARD_SERVER__WORKERS"] = arguments.pop(0)
    args = worker_args.read(arguments)
    named = Path(os.environ["DOORWARD_CONFIG"]) if os.environ.get("DOORWARD_CONFIG") else None
    try:
        settings = _patiently(named) if args.role == "head" else load(named, os.environ)
    except SettingsError as error:
        sys.stderr.write("\n".join(error.problems) + "\n")
        return 1
    logs.configure(settings.log.level, settings.log.format)
    listeners = inherited(args.listeners)
    if not listeners:
        listeners = handed(os.environ)
        args = structs.replace(args, handed=bool(listeners))
    if not listeners:
        try:
            listeners = bind_all(settings.server.host, settings.port, settings.issuer)
        except OSError as error:
            logs.logger("server").error("server.cannot_listen", address=error.filename, reason=error.strerror)
            return 1
    args = structs.replace(args, listeners=tuple(listener.fileno() for listener in listeners))
    if args.role == "head" or (args.role == "first" and settings.server.workers > 1):
        return Supervisor(settings=settings, listeners=listeners, args=args, named=named).run()
    # Imported here: the supervisor of several workers needs none of it.
    from doorward.server.worker import serve

    ended = serve(settings, listeners, args)
    return ended if isinstance(ended, int) else become(ended)


def _patiently(named: Path | None) -> Settings:
    """The settings that the new workers have just read, with retries: the file may be half written at this moment."""
    for _ in range(50):
        try:
            return load(named, os.environ)
        except SettingsError:
            time.sleep(0.1)
    return load(named, os.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
