"""Static files of the pages: style sheet, scripts, icon. Read once, compressed once, with URLs that depend on their content."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Final

from msgspec import Struct

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "passkeys.js": "text/javascript; charset=utf-8",
    "form_post.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml; charset=utf-8",
}
_PARTS: Final = {"passkeys.js": ("page.js", "vendor/simplewebauthn-browser.min.js", "passkeys.js")}
"""Files that are served as one. A page with passkeys loads this instead of page.js: one request, as for every other page."""

IMMUTABLE: Final = "public, max-age=31536000, immutable"
BRIEF: Final = "public, max-age=60"


class Asset(Struct, frozen=True):
    """One file: `body`, `compressed` with gzip, its media type and a strong entity tag (quotes included)."""

    body: bytes
    compressed: bytes
    content_type: str
    etag: str


def _load(name: str, content_type: str) -> Asset:
    body = b"\n".join((_FOLDER / part).read_bytes() for part in _PARTS.get(name, (name,)))
    digest = hashlib.sha256(body).hexdigest()[:32]
    return Asset(body, gzip.compress(body, 9, mtime=0), content_type, f'"{digest}"')


ASSETS: Final = {name: _load(name, content_type) for name, content_type in _TYPES.items()}

VERSION: Final = hashlib.sha256(
    "\n".join(f"{name} {asset.etag}" for name, asset in ASSETS.items()).encode()
).hexdigest()[:16]
"""A digest of all assets together; it is part of their URLs, so a changed file has a new URL."""


def find(path: str) -> tuple[Asset, str] | None:
    """The asset at `<version>/<name>` (the path after /static/) and its Cache-Control value, or None.

    A URL of another version works too, but is cached for a minute only: during a rollout, a page of one version may load its files
    from a server of the other, and must not keep them for a year.
    """
    version, _, name = path.partition("/")
    asset = ASSETS.get(name)
    if asset is None:
        return None
    return asset, IMMUTABLE if version == VERSION else BRIEF
