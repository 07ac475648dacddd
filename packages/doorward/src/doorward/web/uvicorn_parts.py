"""The parts of uvicorn that serve, without its command line and what watches files and starts processes for it."""

from __future__ import annotations

from doorward.core.lean_import import load_deferring

# the logs are configured by adapters/logs.py
load_deferring("uvicorn", "main", unused=("logging.config", "configparser"))

from uvicorn.config import Config  # noqa: E402
from uvicorn.protocols.http.flow_control import FlowControl  # noqa: E402
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle  # noqa: E402
from uvicorn.server import Server, ServerState  # noqa: E402

__all__ = [
    "STATUS_LINE",
    "Config",
    "FlowControl",
    "HttpToolsProtocol",
    "RequestResponseCycle",
    "Server",
    "ServerState",
]
