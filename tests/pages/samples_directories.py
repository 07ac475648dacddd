"""Sample data for the pages of directories."""

from __future__ import annotations

from doorward.features.authn.directories.views import (
    ConnectDirectoryView,
    DirectoryCard,
    DirectoryProblem,
)
from doorward.web.pages.views.account import Methods
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem
from doorward.web.pages.views.sign_in import SignInView

FLOW = "sin_0123456789abcdef0123456789abcdef"


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's or an operator's text does."""
    return {
        "sign-in-directory": SignInView(flow=FLOW, names=True),
        **{
            f"sign-in-{one.value.replace('_', '-')}": SignInView(
                flow=FLOW, names=True, identifier=text, problem=FormProblem(one)
            )
            for one in DirectoryProblem
        },
        "methods-directory": Methods(
            account=text, minimum=15, password_elsewhere=True, cards=(DirectoryCard(connected=(text,)),)
        ),
        "methods-directory-none": Methods(account=text, minimum=15, cards=(DirectoryCard(),)),
        "directory-connect": ConnectDirectoryView(identifier=text),
    }
