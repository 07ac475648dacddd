"""Files outside a factor's folder that name it: those that a new factor of its kind would have to change.

Run as `python -m tools.factor_touch [FACTOR …]`; without a name it lists every factor. Files that are deleted with the factor do
not count: its folder, its storage noun, and every file whose own path names it. Nor do catalogues, migrations, docs and tests.
tests/repository/test_factor_touch.py holds the lists, so that none grows unseen.
"""

from __future__ import annotations

import sys
from typing import Final

from tools.touch import SERVER, Plugs

FACTORS: Final = Plugs(
    noun="factor",
    folder=SERVER / "features" / "authn" / "factors",
    names={
        "email_code": r"e?mail_codes?",
        "passkeys": r"passkeys?|security_keys?",
        "recovery_codes": r"recovery(_codes?)?",
        "sms": r"sms|text_messages?|message_channel|phones?_[a-z]\w*",
        "totp": r"totp|authenticator_(app|added|allowed|available|enrolment|removed)",
    },
    # readers of the exports of other servers use the words of those
    left_out=frozenset({"readers"}),
)

if __name__ == "__main__":
    raise SystemExit(FACTORS.main(sys.argv[1:]))
