"""Pictures under docs/images, taken from the pages of a running server.

`python -m tools.screenshots [NAME …]` starts `doorward dev` in a temporary folder, goes through it in
Chromium as a person does, and writes `docs/images/<name>.png`. It needs what `make test` needs.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from doorward_demo.dev.folder import Folder
from doorward_demo.dev.places import Places, free_places, taken
from tools.system import Missing, chromium

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

CARD = (760, 640)
WIDE = (1180, 760)
PHONE = (360, 700)
DESK = (1280, 800)
ALICE = ("alice@example.com", "seven green lanterns")
BOB = ("bob@example.com", "quiet harbour at noon")
CAROL = ("carol@example.com", "paper boats in april")
DORA = ("dora@example.com", "nine copper kettles")
DORAS_PHONE = "+49 171 2345678"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def running() -> Generator[Places]:
    """Run `doorward dev` on its usual ports, or on free ones when these are in use. Raises RuntimeError when
    it does not start."""
    usual = Places(8000)
    places = usual if taken(usual) is None else free_places()
    with tempfile.TemporaryDirectory(prefix="doorward-screenshots-") as folder:
        log = Path(folder) / "dev.log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "doorward", "dev", "--no-browser", "--port", str(places.port)],
                cwd=folder, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "CI": "1"},
            )  # fmt: skip
        try:
            until = time.monotonic() + 90
            while (state := Folder(Path(folder)).running()) is None or not state.ready:
                if child.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"doorward dev did not start:\n{log.read_text('utf-8')}")
                time.sleep(0.1)
            yield places
        finally:
            child.terminate()
            child.wait(30)


@dataclass(frozen=True)
class Camera:
    """Takes pictures of the requested pages; an empty `only` means all."""

    browser: Browser
    places: Places
    only: Sequence[str]

    @contextmanager
    def person(self, scheme: Scheme, size: tuple[int, int], locale: str = "en-GB") -> Generator[Page]:
        """A separate browser without cookies."""
        context = self.browser.new_context(
            color_scheme=scheme,
            viewport={"width": size[0], "height": size[1]},
            locale=locale,
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        try:
            yield context.new_page()
        finally:
            context.close()

    def everywhere(self, page: Page, name: str) -> None:
        """Take the page as it is now on a phone and on a desktop, light and dark."""
        for where, (width, height) in (("phone", PHONE), ("desk", DESK)):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                self.take(page, f"{name}-{where}-{scheme}", whole=True)

    def take(self, page: Page, name: str, *, whole: bool = False) -> None:
        """Take one picture of the page as it is now; `whole` includes what lies below the window."""
        if self.only and name not in self.only:
            return
        page.wait_for_load_state("load")
        # the pointer over a button would change its colour
        page.mouse.move(0, 0)
        target = IMAGES / f"{name}.png"
        page.screenshot(path=target, full_page=whole, caret="hide", animations="disabled")
        sys.stderr.write(f"screenshots: {target.relative_to(ROOT)}, {target.stat().st_size // 1024} kB\n")


def _from_shop(page: Page, places: Places) -> None:
    page.goto(places.shop)
    page.click("#sign-in")
    page.wait_for_url("**/sign-in?flow=*")


def _sign_in(page: Page, who: tuple[str, str]) -> None:
    page.fill("#identifier", who[0])
    page.fill("#password", who[1])
    page.click("#submit")


def _totp(key: str, at: float) -> str:
    """RFC 6238, as in an authenticator app."""
    seed = base64.b32decode(key.replace(" ", "") + "=" * (-len(key.replace(" ", "")) % 8))
    mac = hmac.digest(seed, struct.pack(">Q", int(at) // 30), "sha1")
    start = mac[-1] & 15
    return str((struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000).zfill(6)


def sign_in(camera: Camera, scheme: Scheme) -> None:
    """The sign-in page, its error, consent, the way back to the app, and signing out."""
    places = camera.places
    with camera.person(scheme, CARD) as page:
        _from_shop(page, places)
        camera.take(page, f"sign-in-{scheme}")
        _sign_in(page, (ALICE[0], "not her password"))
        page.wait_for_selector("#problem")
        camera.take(page, f"sign-in-error-{scheme}", whole=True)
        _sign_in(page, ALICE)
        page.wait_for_selector("#allow")
        camera.take(page, f"consent-{scheme}", whole=True)
        page.click("#allow")
        page.wait_for_url(f"{places.shop}/")
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        camera.take(page, f"demo-app-{scheme}")
        page.goto(f"{places.issuer}/account")
        camera.take(page, f"account-{scheme}")
        page.goto(f"{places.issuer}/account/devices")
        camera.take(page, f"account-devices-{scheme}")
        page.goto(f"{places.issuer}/account/apps")
        camera.take(page, f"account-apps-{scheme}")
        # a person who agreed once is not asked again, but the other scheme's pictures also need that page
        page.get_by_role("button", name="Disconnect").click()
        page.wait_for_selector("#done")
        page.goto(f"{places.issuer}/account/activity")
        camera.take(page, f"account-activity-{scheme}")


def second_factor(camera: Camera) -> None:
    """Setting up an authenticator app, its recovery codes, and the step that it adds to a sign-in."""
    issuer = camera.places.issuer
    with camera.person("light", WIDE) as page:
        page.goto(f"{issuer}/sign-in")
        _sign_in(page, BOB)
        page.goto(f"{issuer}/account/methods")
        camera.take(page, "account-methods-light")
        page.click("#authenticator-add")
        key = page.inner_text("#key")
        camera.take(page, "authenticator-light", whole=True)
        page.fill("input[name=code]", _totp(key, time.time()))
        page.click("#submit")
        page.get_by_role("heading", name="Your recovery codes").wait_for()
        camera.take(page, "recovery-codes-light", whole=True)
    with camera.person("light", CARD) as page:
        _from_shop(page, camera.places)
        _sign_in(page, BOB)
        page.wait_for_url("**/sign-in/code?*")
        camera.take(page, "second-factor-light")


def required_step(camera: Camera) -> None:
    """A role that demands a second step: a phone is set up on the way to the app, and asked for at the next sign-in."""
    with camera.person("light", PHONE) as page:
        _from_shop(page, camera.places)
        _sign_in(page, DORA)
        page.wait_for_selector("#enrol-sms")
        camera.everywhere(page, "second-step")
        page.click("#enrol-sms")
        page.fill("#number", DORAS_PHONE)
        page.click("#submit")
        page.wait_for_selector("#again-submit")
        outbox = page.context.new_page()
        outbox.goto(f"{camera.places.issuer}/_dev/outbox")
        page.fill("#code", outbox.locator(".big-code").first.inner_text())
        page.click("#submit")
        page.wait_for_selector("#codes")
        camera.everywhere(page, "second-step-codes")
    with camera.person("light", PHONE) as page:
        _from_shop(page, camera.places)
        _sign_in(page, DORA)
        page.wait_for_selector("#sent")
        camera.everywhere(page, "sent-code")


def sign_up(camera: Camera) -> None:
    """A new account, the mail that proves the address, and the outbox of development."""
    issuer = camera.places.issuer
    with camera.person("light", CARD) as page:
        page.goto(f"{issuer}/sign-up")
        camera.take(page, "sign-up-light", whole=True)
        page.fill("input[type=email]", "erin@example.com")
        page.fill("input[name=name]", "Erin Elm")
        page.fill("input[type=password]", "copper kettle in the snow")
        page.click("#submit")
        page.wait_for_url("**/sign-up/check?*")
        camera.take(page, "check-mail-light", whole=True)
        page.goto(f"{issuer}/_dev/outbox")
        camera.take(page, "outbox-light")


def others(camera: Camera) -> None:
    """Pages that need no sign-in."""
    issuer = camera.places.issuer
    with camera.person("light", CARD) as page:
        page.goto(f"{issuer}/reset")
        camera.take(page, "reset-light")
        page.goto(f"{issuer}/signed-out")
        camera.take(page, "signed-out-light")
        page.goto(f"{issuer}/authorize?client_id=app_nobody&response_type=code")
        camera.take(page, "error-light")
    with camera.person("dark", CARD) as page:
        page.goto(f"{issuer}/authorize?client_id=app_nobody&response_type=code")
        camera.take(page, "error-dark")
    with camera.person("dark", PHONE, "ar") as page:
        _from_shop(page, camera.places)
        camera.take(page, "sign-in-phone-arabic-dark")


def sizes(camera: Camera, scheme: Scheme) -> None:
    """The same pages on a phone and on a desktop; the demo app before any sign-in, and after a «Cancel»."""
    with camera.person(scheme, DESK) as page:
        page.goto(camera.places.shop)
        camera.take(page, f"demo-app-signed-out-{scheme}")
        page.click("#sign-in")
        page.wait_for_selector("#identifier")
        camera.take(page, f"sign-in-desk-{scheme}")
        _sign_in(page, CAROL)
        page.wait_for_selector("#allow")
        page.click("#deny")
        page.get_by_role("heading", name="Nothing was shared").and_(
            page.locator("main:has(#home) h1")
        ).wait_for()
        camera.take(page, f"demo-app-cancelled-{scheme}")
    with camera.person(scheme, PHONE) as page:
        _from_shop(page, camera.places)
        camera.take(page, f"sign-in-phone-{scheme}")
        page.click("#to-sign-up")
        page.wait_for_selector("#email")
        camera.take(page, f"sign-up-phone-{scheme}", whole=True)
        page.goto(camera.places.shop)
        page.click("#sign-in")
        page.wait_for_selector("#identifier")
        _sign_in(page, CAROL)
        page.wait_for_selector("#allow")
        camera.take(page, f"consent-phone-{scheme}", whole=True)
        page.goto(f"{camera.places.issuer}/sign-in")
        _sign_in(page, CAROL)
        page.wait_for_selector("#nav-device")
        camera.take(page, f"account-phone-{scheme}", whole=True)
        for tab, name in (("key", "methods"), ("device", "devices")):
            page.click(f"#nav-{tab}")
            page.wait_for_selector(f"#nav-{tab}[aria-current]")
            camera.take(page, f"account-{name}-phone-{scheme}", whole=True)


def passkeys(camera: Camera, scheme: Scheme, size: tuple[int, int], where: str) -> None:
    """A security key: added, with recovery codes, among the sign-in methods, asked for after the password, and removed again. Before it,
    the sign-in page with its button, which only scripts show."""
    issuer = camera.places.issuer
    with camera.person(scheme, size) as page:
        page.goto(f"{issuer}/sign-in")
        page.wait_for_selector("#passkey-use")
        camera.take(page, f"passkey-sign-in-{where}-{scheme}", whole=True)
        _sign_in(page, CAROL)
        page.wait_for_selector("#nav-key")
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable", {})
        key = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True}
        session.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": {**key, "isUserVerified": True, "automaticPresenceSimulation": True}},
        )
        page.click("#nav-key")
        page.click("#passkey-add")
        page.wait_for_selector("#passkey-create")
        camera.take(page, f"passkey-new-{where}-{scheme}", whole=True)
        page.click("#passkey-create")
        page.click("#to-methods")
        page.wait_for_selector("#passkey-1-title")
        camera.take(page, f"passkey-methods-{where}-{scheme}", whole=True)
        with camera.person(scheme, size) as other:
            other.goto(f"{issuer}/sign-in")
            _sign_in(other, CAROL)
            other.wait_for_url("**/sign-in/passkey?*")
            camera.take(other, f"passkey-step-{where}-{scheme}", whole=True)
        page.click("#passkey-1-remove")
        page.wait_for_selector("#done")


def main(arguments: Sequence[str] | None = None) -> int:
    """Non-zero when there is no Chromium."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="as in docs/images/NAME.png; all, unless named"
    )
    only: list[str] = parser.parse_args(arguments).names
    program = chromium()
    if isinstance(program, Missing):
        sys.stderr.write(f"screenshots: {program}\n")
        return 1
    IMAGES.mkdir(exist_ok=True)
    with running() as places, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=list(FLAGS))
        camera = Camera(browser, places, only)
        for scheme in SCHEMES:
            sign_in(camera, scheme)
        second_factor(camera)
        required_step(camera)
        sign_up(camera)
        others(camera)
        for scheme in SCHEMES:
            sizes(camera, scheme)
        for scheme in SCHEMES:
            passkeys(camera, scheme, PHONE, "phone")
            passkeys(camera, scheme, DESK, "desk")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
