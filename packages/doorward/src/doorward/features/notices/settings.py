"""Settings of notices: `[notices]`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from doorward.core.model.section import Section


class NoticePolicy(Section, frozen=True, forbid_unknown_fields=True):
    """Mail to the owner of an account about what happened with it.

    `without` are kinds of which no mail is sent; the server's start checks them. `wait`: seconds for which a notice waits for others, so that
    they become one mail; urgent ones wait for none. `link_life`: seconds for which the link "This wasn't me" works.
    """

    without: tuple[str, ...] = ()
    wait: Annotated[int, Meta(ge=0, le=3600)] = 30
    link_life: Annotated[int, Meta(ge=3600, le=30 * 86_400)] = 7 * 86_400
