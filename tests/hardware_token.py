"""Hardware token for tests: SoftHSM, with its own folder and PINs."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import PATIENCE

SECURITY_OFFICER = "87654321"


@dataclass(frozen=True)
class HardwareToken:
    """`module` is the shared library; `label` and `pin` open the token."""

    module: Path
    folder: Path
    label: str = "auth"
    pin: str = "1234"

    def make_key(self, label: str) -> None:
        """An AES key that can be used there and never read."""
        import pkcs11  # an extra, and needed only here, where a token is made

        with (
            pkcs11.lib(str(self.module))
            .get_token(token_label=self.label)
            .open(rw=True, user_pin=self.pin) as session
        ):
            never = {pkcs11.Attribute.EXTRACTABLE: False, pkcs11.Attribute.SENSITIVE: True}
            session.generate_key(pkcs11.KeyType.AES, 256, label=label, store=True, template=never)

    def settings(self, key: str) -> str:
        """The lines of `[keys]`."""
        return (
            f'pkcs11_module = "{self.module}"\npkcs11_token = "{self.label}"\n'
            f'pkcs11_key = "{key}"\npkcs11_pin = "{self.pin}"\n'
        )


def new_token(module: Path, folder: Path) -> HardwareToken:
    """A token made by SoftHSM's own program. `SOFTHSM2_CONF` names the folder to this process and its children."""
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(config)
    token = HardwareToken(module, folder)
    make = ["softhsm2-util", "--init-token", "--free", "--label", token.label]
    pins = ["--pin", token.pin, "--so-pin", SECURITY_OFFICER]
    subprocess.run([*make, *pins], check=True, capture_output=True, timeout=PATIENCE)
    return token
