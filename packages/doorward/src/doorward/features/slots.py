"""Slots that every feature may add to: the kinds of e-mail messages that this server writes."""

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
    """By kind, what `services.mail.write(kind, …)` can write. Raises ValueError when two templates have one kind."""
    found: dict[str, type[MessageTemplate]] = {}
    for template in services.added(MESSAGES):
        if found.setdefault(template.kind, template) is not template:
            raise ValueError(f"two messages have one kind: {template.kind}")
    return found
