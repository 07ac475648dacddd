"""`python -m doorward_demo.demo.mcp`: the demo MCP server as a process, beside `doorward dev` or any other server."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from doorward_demo.demo.serving import serve

_MISSING: Final = (
    "doorward_demo.demo.mcp: it needs the MCP SDK. Install it: python -m pip install 'doorward-demo[mcp]'"
)


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser("python -m doorward_demo.demo.mcp", description="The demo MCP server.")
    parser.add_argument(
        "--issuer", default="http://localhost:8000", help="the server whose tokens it accepts"
    )
    parser.add_argument(
        "--address", default="http://localhost:8003/mcp", help="its own address, the audience of its tokens"
    )
    parser.add_argument("--ca", type=Path, help="a PEM file with the private CA of the issuer")
    given = parser.parse_args(arguments)
    issuer: str = given.issuer
    address: str = given.address
    if urlsplit(address).port is None:
        parser.error("--address needs a port on this machine, as in http://localhost:8003/mcp")
    if find_spec("mcp") is None:
        raise SystemExit(_MISSING)
    from doorward_demo.demo.mcp.app import create_app

    sys.stderr.write(f"MCP server at {address}, for tokens of {issuer}\n")
    serve(create_app(issuer, address, ca=given.ca), address)


if __name__ == "__main__":
    main(sys.argv[1:])
