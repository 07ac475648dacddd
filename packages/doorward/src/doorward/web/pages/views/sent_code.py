"""Page of a code that is sent by mail or text message."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from doorward.core.model.sent_code import DeliveryState
from doorward.web.pages.views.problems import Form
from doorward.web.pages.views.sign_in import OtherWay, TrustOffer
from doorward.web.pages.words import N_

NOTHING_THERE: Final = N_("Nothing there? Wait a moment, or:")


class CodeTarget(Struct, frozen=True):
    """A phone or mailbox to which a code can be sent. `id` is posted back as `to`; `label` shows only a part of the number or address."""

    id: str
    label: str


class SentCodeView(Form, frozen=True):
    """/sign-in/code for a factor whose codes are sent: its kind is the `method`. Posts `code`, `method`, `trust`, `csrf`, `flow`; the second form posts `kind`, `to`,
    `csrf`, `flow` to `send_action`.

    `sent_to`: a code was sent there, and can be typed. `again_at` (seconds): not before that another one may be asked for, None: now.
    `another`: it is not the first one. `delivery`: what is known of its message; a script asks again at `watch`. `nothing_there` is
    the question before the button for another one, in English: the page translates it. `others` are the other
    methods.
    """

    template: ClassVar[str] = "sent_code.html"
    account: str
    method: str
    targets: tuple[CodeTarget, ...]
    watch: str
    nothing_there: str
    flow: str | None = None
    action: str = "/sign-in/code"
    send_action: str = "/sign-in/code/send"
    sent_to: str | None = None
    again_at: int | None = None
    another: bool = False
    delivery: DeliveryState = "under_way"
    minutes: int = 10
    trust: TrustOffer | None = None
    others: tuple[OtherWay, ...] = ()
