"""Slots for what people read, to which every feature may add: the kinds of e-mail, outboxes of other channels, what account pages report,
and the lines of the activity page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from doorward.features.services import Slot

if TYPE_CHECKING:
    from doorward.core.model.audit import AuditEvent
    from doorward.features.services import Services
    from doorward.storage.sql.statements import Write
    from doorward.web.mail.message import MessageTemplate
    from doorward.web.pages.views.said import Said
    from doorward.web.pages.views.why import Why

MESSAGES: Final[Slot[type[MessageTemplate]]] = Slot("messages")
"""Templates of messages: `Feature(name=…, adds=(MESSAGES.filled_by(…),))`."""


class KeptMessage(Struct, frozen=True):
    """A message in clear text, for the page of sent messages in development. `subject` is None where messages have none; `at` in
    seconds."""

    to: str
    subject: str | None
    text: str
    at: int
    code: str | None


Kept = Callable[[int], Awaitable[Sequence[KeptMessage]]]
"""The last messages of a channel, by their number."""

OUTBOXES: Final[Slot[Kept]] = Slot("outboxes")
"""Outboxes other than that of mail."""

DONE: Final[Slot[type[Said]]] = Slot("done")
"""What was done, for the account page that reports it once. A value stands in an address; no two are the same."""


class ActivityKind(Struct, frozen=True):
    """A kind of line on the activity page, for audited events `event` whose details it `applies` to; to all others if it says nothing.

    `text` is the sentence in English; `with_app` the same where an app took part, with %(app)s. `reportable`: the person may answer that
    it was somebody else. `explained`: further sentences, from the details.
    """

    event: str
    text: str
    with_app: str | None = None
    applies: Callable[[Mapping[str, Any]], bool] | None = None
    reportable: bool = False
    explained: Callable[[Mapping[str, Any]], tuple[Why, ...]] | None = None


ACTIVITY: Final[Slot[ActivityKind]] = Slot("activity")
"""Kinds of lines of the activity page. Of those of one event exactly one applies whatever its details are."""

CREDENTIAL_TYPES: Final[Slot[tuple[str, str]]] = Slot("credential_types")
"""What kinds of credentials are called in events for apps (`credential_type`, CAEP 1.0 §3.2.1), each with its method in the audit log."""

FOLLOWERS: Final[Slot[Callable[[AuditEvent], Write]]] = Slot("followers")
"""What is written in the same commit as a line of the audit log, whoever writes that line."""


def message_templates(services: Services) -> Mapping[str, type[MessageTemplate]]:
    """The templates by kind, for `services.mail.write(kind, …)`. Raises ValueError when two templates have the same kind."""
    found: dict[str, type[MessageTemplate]] = {}
    for template in services.added(MESSAGES):
        if found.setdefault(template.kind, template) is not template:
            raise ValueError(f"two messages have one kind: {template.kind}")
    return found
