"""Rule for the times of mails with notices: nothing is left out, and no volume of one kind delays another kind."""

from __future__ import annotations

from typing import Final

DAY: Final = 86_400
PAUSES: Final = ((5, 0), (12, 600))
"""(number of mails, seconds): so many mails a day follow one another with this pause at least; later ones with `LONGEST`."""
LONGEST: Final = 3600


def due_at(*, mails: int, last_at: int, new_kind: bool, wait: int) -> int:
    """When the next mail with notices may go to one recipient (seconds): it takes along all that wait (R93, R99).

    `mails` were sent in the last day, the last at `last_at`; `wait` is the setting of how long notices wait for others. With `new_kind`, a
    kind of which none of these mails told is due: it waits for nothing, so that somebody who causes hundreds of notices of one kind delays
    no other kind. So a day has at most one mail for each kind, 12, and one an hour.
    """
    if new_kind or mails == 0:
        return 0
    pause = next((seconds for most, seconds in PAUSES if mails < most), LONGEST)
    return last_at + max(pause, wait)
