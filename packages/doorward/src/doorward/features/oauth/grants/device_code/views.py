"""Pages for devices: the code, the question, and what became of it."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.pages.words import N_


class WrongUserCode(Said):
    """Problems of a code that a device shows."""

    UNKNOWN = "user_code_unknown", N_("No device shows that code. Check it, or ask the device for a new one.")
    EXPIRED = "user_code_expired", N_("That code has expired. Ask the device for a new one.")
    USED = "user_code_used", N_("That code was used before. Ask the device for a new one.")


class DeviceCodeView(Form, frozen=True):
    """/device. Posts `user_code`, `csrf`.

    `code` is what was typed, or what the device's address contained; with `given` it came from an address, and the person compares it.
    `account` is the signed-in person.
    """

    template: ClassVar[str] = "doorward.features.oauth.grants.device_code:device.html"
    account: str
    code: str = ""
    given: bool = False
    code_problem: FormProblem | None = None


class DeviceAskView(Struct, frozen=True, kw_only=True):
    """The question whether a device may have access. Posts `decision` (allow | deny), `csrf`, `flow` to /consent.

    `label` describes the program that asked (None: unknown), `address` is where it asked from, `same_network` whether this browser is
    there too (None: cannot be told), and `age` how long ago (seconds). The others are as on the consent page.
    """

    template: ClassVar[str] = "doorward.features.oauth.grants.device_code:device_ask.html"
    app: str
    code: str
    label: str | None
    address: str
    same_network: bool | None
    age: int
    account: str
    account_name: str | None
    scopes: tuple[ScopeLine, ...]
    lasts: int
    offline: bool
    flow: str
    not_you: str
    left_out: tuple[ScopeLine, ...] = ()
    useless_at: str | None = None
    published_at: str | None = None
    unknown: bool = False


DeviceEnd = Literal["allowed", "connected", "ended", "denied", "expired", "used", "refused"]


class DeviceEndView(Struct, frozen=True, kw_only=True):
    """What became of a device's request. `allowed`: the person allowed it, and the device has not fetched it yet; `connected`: it has;
    `ended`: it had access, which has ended; `used`: somebody decided before; `refused`: this sign-in was not enough."""

    template: ClassVar[str] = "doorward.features.oauth.grants.device_code:device_end.html"
    state: DeviceEnd
    app: str | None = None
    detail: str | None = None
