"""Static files of the pages: style sheet, scripts, icon. Read once, compressed once, with URLs that depend on their content."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import Final

from msgspec import Struct

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
"""What is served of the folder, by the end of its name; the folders in it are not."""
_REQUIRES: Final = re.compile(rb"^// requires: (.+)$", re.MULTILINE)
"""A line of a script: the files that are served before it, as one with it. A page loads one script, not three."""

IMMUTABLE: Final = "public, max-age=31536000, immutable"
BRIEF: Final = "public, max-age=60"


class Asset(Struct, frozen=True):
    """One file: `body`, `compressed` with gzip, its media type and a strong entity tag (quotes included)."""

    body: bytes
    compressed: bytes
    content_type: str
    etag: str


def _load(path: Path) -> Asset:
    own = path.read_bytes()
    required = _REQUIRES.search(own)
    before = required[1].decode().split() if required is not None else ()
    body = b"\n".join((*((_FOLDER / part).read_bytes() for part in before), own))
    digest = hashlib.sha256(body).hexdigest()[:32]
    return Asset(body, gzip.compress(body, 9, mtime=0), _TYPES[path.suffix], f'"{digest}"')


ASSETS: Final = {path.name: _load(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}

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
