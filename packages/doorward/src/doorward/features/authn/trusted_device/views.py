"""Pages about remembered devices."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.pages.views.problems import Form, FormProblem


class DeviceNameView(Form, frozen=True):
    """/account/devices/name. Posts `device`, `name`, `csrf`.

    `device` is the id of the remembered device, `name` its name or what was typed, `label` what it is called without one, as on the
    page of devices (None for an unknown one).
    """

    template: ClassVar[str] = "doorward.features.authn.trusted_device:device_name.html"
    device: str
    name: str
    label: str | None
    action: str
    back: str
    name_problem: FormProblem | None = None
