"""Check of the kinds of notices that the settings leave out, before a process serves."""

from __future__ import annotations

from doorward.core.errors import OperatorError
from doorward.features.notices.rules.left_out import problem
from doorward.features.notices.settings import NoticePolicy
from doorward.features.services import Services
from doorward.features.slots import message_templates


def check(services: Services) -> None:
    """Raises `OperatorError` for a kind that does not exist, or is urgent."""
    without = services.sections.of(NoticePolicy).without
    if not without:
        return
    # imported here: most servers leave nothing out
    from doorward.web.mail.message import ALARM, AccountNotice

    weights = {
        kind: template.weight
        for kind, template in services.get(message_templates).items()
        if issubclass(template, AccountNotice)
    }
    urgent = {kind for kind, weight in weights.items() if weight == ALARM}
    wrong = problem(without, ordinary=weights.keys() - urgent, urgent=urgent)
    if wrong is not None:
        raise OperatorError(wrong)
