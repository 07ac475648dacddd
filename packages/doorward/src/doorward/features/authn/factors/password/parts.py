"""Parts of the password: all that its folder adds to the server."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.factors.password.activity import ACTIVITY_KINDS
from doorward.features.authn.factors.password.build import password_factor
from doorward.features.authn.factors.password.messages import PasswordChanged
from doorward.features.authn.flow.plug import FactorParts

PASSWORD: Final = FactorParts(
    factors=lambda services: (services.get(password_factor),),
    messages=(PasswordChanged,),
    activity=ACTIVITY_KINDS,
)
