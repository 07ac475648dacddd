"""QR code of an authenticator app's key, as a data: URI for an <img>."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.core.lean_import import Deferred

if TYPE_CHECKING:
    import segno
else:
    # only the page that sets up an authenticator app needs it
    segno = Deferred("segno")


def qr_image(content: str) -> str:
    """`content` as an SVG data: URI, black on white with its quiet zone in dark mode too: cameras need the contrast.

    Raises ValueError when `content` does not fit into a QR code.
    """
    return segno.make_qr(content, error="m").svg_data_uri(
        scale=4, border=4, dark="#000", light="#fff", omitsize=True
    )


def in_groups(key: str, size: int = 4) -> str:
    """A key in groups of four characters, for typing."""
    return " ".join(key[at : at + size] for at in range(0, len(key), size))
