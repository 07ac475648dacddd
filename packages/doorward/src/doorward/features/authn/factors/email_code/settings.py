"""Settings of codes by mail: `[email_codes]`."""

from __future__ import annotations

from collections.abc import Iterator

from doorward.core.model.section import Section, Surroundings


class EmailCodePolicy(Section, frozen=True, forbid_unknown_fields=True):
    """Codes by mail at the sign-in. `first`: whether one may replace the password."""

    first: bool = False

    def problems(self, around: Surroundings) -> Iterator[str]:
        """Whether codes are wanted, and no mail is sent."""
        if "email_code" in around.factor_kinds and not around.sends_mail:
            yield "second_factor.kinds holds email_code, and there is no mail.host to send codes with"
        if self.first and not around.sends_mail:
            yield "email_codes.first is true, and there is no mail.host to send codes with"
