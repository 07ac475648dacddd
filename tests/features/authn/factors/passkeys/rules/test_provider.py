"""Names of passkey providers."""

from __future__ import annotations

import re

from doorward.features.authn.factors.passkeys.rules.provider import NAMES, provider


def test_providers_have_names() -> None:
    assert provider("d548826e-79b4-db40-a3d8-11116f7e8349") == "Bitwarden"
    assert provider("00000000-0000-0000-0000-000000000000") is None
    for aaguid, name in NAMES.items():
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", aaguid)
        assert 1 <= len(name) <= 40
