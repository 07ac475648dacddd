"""A server does not start with kinds of notices left out that do not exist, or are urgent."""

from __future__ import annotations

import pytest

from doorward.core.errors import OperatorError
from doorward.features.notices.feature import NOTICES
from doorward.features.notices.settings import NoticePolicy
from doorward.features.slots import message_templates
from doorward.web.mail.message import ALARM, AccountNotice
from tests.front_channel import front_channel

pytestmark = pytest.mark.anyio


async def test_every_ordinary_kind_may_be_left_out_and_no_urgent_one() -> None:
    async with front_channel() as front:
        notices = [
            one for one in front.services.get(message_templates).values() if issubclass(one, AccountNotice)
        ]
    ordinary = tuple(one.kind for one in notices if one.weight < ALARM)
    async with front_channel(notices=NoticePolicy(without=ordinary)) as front:
        await NOTICES.starting(front.services)
    urgent = {one.kind for one in notices if one.weight == ALARM}
    assert urgent == {
        "address_changed",
        "passkey_copied",
        "password_changed",
        "recovery_code_used",
        "refresh_replayed",
        "second_factor_failed",
        "trusted_device_copied",
    }
    for kind in (*urgent, "new_devices"):
        async with front_channel(notices=NoticePolicy(without=(kind,))) as front:
            with pytest.raises(OperatorError, match=kind):
                await NOTICES.starting(front.services)
