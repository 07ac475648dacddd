"""Files outside a grant's folder that name it: those that a new grant of its kind would have to change.

Run as `python -m tools.grant_touch [GRANT …]`; without a name it lists every grant. Files that are deleted with the grant do not count: its
folder, the storage noun and the feature of what it rests on, and every file whose own path names it. Nor do catalogues, migrations, docs
and tests. tests/repository/test_grant_touch.py holds the lists, so that none grows unseen.
"""

from __future__ import annotations

import sys
from typing import Final

from tools.touch import SERVER, Plugs

# What two grants share, such as an ID-JAG, or every access token, such as `may_act`, is no grant's. API keys are a feature of their own, which
# is used without the grant too.
GRANTS: Final = Plugs(
    noun="grant",
    folder=SERVER / "features" / "oauth" / "grants",
    names={
        "api_key": r"grants_api_key|api_key_grants?",
        "device_code": r"device_(codes?|authorizations?|grants?|flow)|user_codes?",
        "jwt_bearer": r"grants_jwt_bearer|trusted_issuers?",
        "token_exchange": r"token_exchanges?|exchanges|exchange_(ends|policy|problem)|exchanged|impersonat\w*",
    },
    # names grants for a purpose that a new grant does not join: what apps may have that register themselves
    others=frozenset({"features/oauth/clients/rules/self_registered.py"}),
)

if __name__ == "__main__":
    raise SystemExit(GRANTS.main(sys.argv[1:]))
