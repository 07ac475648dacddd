"""Sample data for the page of one device."""

from __future__ import annotations

from doorward.features.accounts.views import DeviceView, ways
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong

AT = 1_795_358_000
DAY = 86_400


def samples(text: str) -> dict[str, View]:
    """Each state of the page. `text` stands where a person's text does."""
    return {
        "own-device": DeviceView(
            session="ses_1",
            name=text,
            label="Chrome on macOS",
            place=text,
            address="2001:db8::7",
            first_used=AT - 40 * DAY,
            last_used=AT - 60,
            signed_in_at=AT - 2 * DAY,
            apps=(text, "Corner Shop"),
            ways=ways(("pwd", "otp")),
            action="/account/devices/device?session=ses_1",
            current=True,
        ),
        "own-device-unknown": DeviceView(
            session="ses_2",
            name="",
            label=None,
            place=None,
            address="",
            first_used=AT - DAY,
            last_used=AT - DAY,
            signed_in_at=AT - DAY,
            apps=(),
            ways=(),
            action="/account/devices/device?session=ses_2",
            name_problem=FormProblem(Wrong.NAME_TOO_LONG, 60),
            problem=FormProblem(Wrong.TOO_MANY_TRIES, at=AT),
        ),
    }
