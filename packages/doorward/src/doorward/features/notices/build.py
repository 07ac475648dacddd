"""Construction of the services for notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.core.model.message import EmailMessage, NoticePart
from doorward.features.audit.build import audit_log
from doorward.features.authn.flow.build import offered_factors
from doorward.features.notices.delivery import NoticeBundles
from doorward.features.notices.service import NoticeAnswers
from doorward.features.notices.settings import NoticePolicy
from doorward.features.services import Services
from doorward.features.sessions.build import revoker

if TYPE_CHECKING:
    from doorward.features.notices.routes import NotMePages


def notice_bundles(services: Services) -> NoticeBundles:
    """What the mail worker does with notices."""

    def bundle(parts: Sequence[NoticePart], number: int) -> EmailMessage:
        # imported here: only a process that sends mail needs templates and languages
        from doorward.web.mail.bundle import NoticeBundle
        from doorward.web.mail.render import render

        return render(
            NoticeBundle(parts=tuple(parts), number=number),
            locale=parts[0].locale,
            brand_name=services.brand_name,
            issuer=services.issuer,
        )

    return NoticeBundles(
        store=services.store,
        sealer=services.sealer,
        bundle=bundle,
        wait=services.sections.of(NoticePolicy).wait,
    )


def notice_answers(services: Services) -> NoticeAnswers:
    """The service behind the link "This wasn't me"."""
    return NoticeAnswers(
        store=services.store,
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        factors=services.get(offered_factors),
    )


def not_me_pages(services: Services) -> NotMePages:
    """The pages of "This wasn't me"."""
    # imported here: commands load no pages
    from doorward.features.accounts.build import self_service
    from doorward.features.api_keys.build import own_keys
    from doorward.features.authn.flow.build import flow_pages, signed_in_pages
    from doorward.features.notices.routes import NotMePages

    return NotMePages(
        answers=services.get(notice_answers),
        flow=services.get(flow_pages),
        own=services.get(signed_in_pages),
        account_pages=services.get(self_service),
        keys=services.get(own_keys),
    )
