"""The accounts elsewhere in the order in which a browser shows them: the one used last there is first, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.web.pages.views.sign_in import ProviderButton

PROVIDER: Final = "provider"
"""The kind in the cookie; the name of the provider follows."""


def used_last_first(buttons: Sequence[ProviderButton], used: str) -> tuple[ProviderButton, ...]:
    """`used`: the value of the browser's cookie. The others keep their order."""
    kind, _, name = used.partition(".")
    return tuple(sorted(buttons, key=lambda one: not (kind == PROVIDER and one.provider == name)))


def is_used(buttons: Sequence[ProviderButton], used: str) -> bool:
    """Whether the first of these buttons is the one used last."""
    return bool(buttons) and used == f"{PROVIDER}.{buttons[0].provider}"
