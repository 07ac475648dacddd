"""Slot for the kinds of e-mail messages, to which every feature may add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorward.features.services import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.features.services import Services
    from doorward.web.mail.message import MessageTemplate

MESSAGES: Final[Slot[type[MessageTemplate]]] = Slot("messages")
"""Templates of messages: `Feature(name=…, adds=(MESSAGES.filled_by(…),))`."""


def message_templates(services: Services) -> Mapping[str, type[MessageTemplate]]:
    """The templates by kind, for `services.mail.write(kind, …)`. Raises ValueError when two templates have the same kind."""
    found: dict[str, type[MessageTemplate]] = {}
    for template in services.added(MESSAGES):
        if found.setdefault(template.kind, template) is not template:
            raise ValueError(f"two messages have one kind: {template.kind}")
    return found
