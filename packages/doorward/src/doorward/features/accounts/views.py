"""Page of one device of the signed-in person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.words import N_

_WAYS: Final[Mapping[str, str]] = {
    "pwd": N_("with a password"),
    "pop": N_("with a passkey"),
    "fed": N_("with an account elsewhere"),
}
_CODE: Final = N_("with a one-time code")
"""For all others: codes, however they came."""
_SILENT: Final = frozenset({"user", "mfa"})


class DeviceView(Form, frozen=True):
    """/account/devices/device. Posts `session`, `name`, `csrf` to name it, and `session`, `csrf` to end it.

    `session` is the id of the session; `name` what its owner calls it, or what was typed; `label` its browser and system, None for unknown
    ones; `place` and `address` where its last sign-in came from; `apps` the names of those with access from it; `ways` how the person signed
    in; Unix seconds.
    """

    template: ClassVar[str] = "doorward.features.accounts:device.html"
    session: str
    name: str
    label: str | None
    place: str | None
    address: str
    first_used: int
    last_used: int
    signed_in_at: int
    apps: tuple[str, ...]
    ways: tuple[str, ...]
    action: str
    current: bool = False
    name_problem: FormProblem | None = None


def ways(amr: Iterable[str]) -> tuple[str, ...]:
    """Sentences for method references (RFC 8176), without those that say nothing to people."""
    return tuple(dict.fromkeys(_WAYS.get(one, _CODE) for one in amr if one not in _SILENT))
