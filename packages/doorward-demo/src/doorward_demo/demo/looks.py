"""Appearance of the demo's pages: one small style sheet, similar to the server's own pages, and one content policy."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE: Final = Path(__file__).parent

STYLE: Final = (_HERE / "style.css").read_text("utf-8")
CSP: Final = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

pages: Final = Environment(
    loader=FileSystemLoader(
        [_HERE / "shop" / "templates", _HERE / "orders" / "templates", _HERE / "example" / "templates"]
    ),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""Every template of the demo; inserted values are escaped."""
