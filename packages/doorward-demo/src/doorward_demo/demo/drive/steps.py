"""List of the steps, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from doorward_demo.demo.drive import (
    calling,
    devices,
    keys,
    leaving,
    refreshing,
    signing_in,
    stealing,
    stepping_up,
)
from doorward_demo.demo.drive.journey import Journey


class Step(Struct, frozen=True):
    """`work` returns a sentence about the result, or raises `NotAsItShouldBe`."""

    name: str
    title: str
    work: Callable[[Journey], str]


STEPS: Final = (
    Step("discover", "Ask the server where everything is", signing_in.discover),
    Step("sign_up", "Sign up", signing_in.sign_up),
    Step("verify", "Verify the address with the code from the mail", signing_in.verify),
    Step("sign_in", "Sign in, from an app, in another browser", signing_in.sign_in),
    Step("consent", "Let the app in, and get a code", signing_in.consent),
    Step("code_exchange", "Code and PKCE for tokens", signing_in.code_exchange),
    Step("call_api", "Call the API with the token", calling.call),
    Step("call_without_token", "Call it without a token", calling.call_without_token),
    Step("call_foreign_audience", "Call it with a token for another API", calling.call_foreign_audience),
    Step("call_without_scope", "Call it without the scope", calling.call_without_scope),
    Step("api_key", "Make an API key for a script, and use it", keys.use_api_key),
    Step("end_api_key", "End an API key", keys.end_api_key),
    Step("second_factor", "Add a second step: codes by mail", stepping_up.add_mail_codes),
    Step("mail_code", "Sign in with it, in another browser", stepping_up.sign_in_with_mail_code),
    Step("passkey", "Add a passkey there", stepping_up.add_passkey),
    Step(
        "step_up",
        "The API wants more than the first browser showed; show the passkey, and repeat the call",
        stepping_up.step_up,
    ),
    Step(
        "trusted_device",
        "Have the other browser remembered, and sign in there by password alone",
        stepping_up.remember_device,
    ),
    Step("refresh_two_at_once", "Refresh, twice at the same moment", refreshing.refresh_two_at_once),
    Step("device_codes", "A command line asks for a code", devices.ask_for_codes),
    Step("device", "Type it in the browser, and let it in", devices.allow_device),
    Step("sign_in_again", "Sign in again, with the session", leaving.sign_in_again),
    Step("sign_out", "Sign out", leaving.sign_out),
    Step(
        "call_after_sign_out", "Call the API with the token that has not expired", leaving.call_after_sign_out
    ),
    Step("refresh_after_sign_out", "Refresh after signing out", leaving.refresh_after_sign_out),
    Step("steal", "A thief copies a refresh token from the app in the other browser", stealing.steal),
    Step("replay", "The thief uses it", stealing.replay),
    Step("tell_owner", "The owner's mail", stealing.tell_owner),
)
