"""Sample data for the pages of API keys."""

from __future__ import annotations

from doorward.features.api_keys import views
from doorward.features.api_keys.rules.key_format import write
from doorward.features.api_keys.views import ApiKeyWrong
from doorward.web.pages.views.context import View
from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import FormProblem, Wrong

AT = 1_795_358_000
DAY = 86_400
KEY = write("key_" + "01992f3c" * 4, b"\x5a" * 32)


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's text does."""
    read = ScopeLine("orders:read", "See your orders")
    line = views.ApiKeyLine(
        id="key_1",
        name=text,
        api=text,
        scopes=(read, ScopeLine("orders:write", text)),
        networks=("192.0.2.0/24", "2001:db8::/48"),
        created_at=AT - 80 * DAY,
        expires_at=AT + 9 * DAY,
        used_at=AT - 60,
        live=True,
        ended=False,
        soon=True,
        old_until=AT + 3600,
    )
    ended = views.ApiKeyLine(
        id="key_2",
        name="Backup",
        api="Orders",
        scopes=(read,),
        networks=(),
        created_at=AT - 9 * DAY,
        expires_at=AT + 80 * DAY,
        used_at=None,
        live=False,
        ended=True,
        soon=False,
        old_until=None,
    )
    api = views.ApiChoice("api_1", text)
    lines = (
        views.MayLine("may:orders:read", read, True),
        views.MayLine(f"may:{text}", ScopeLine(text), False),
    )
    return {
        "api-keys": views.ApiKeysView(keys=(line, ended), may_create=True, done=views.ApiKeyDone.ENDED),
        "api-keys-gone": views.ApiKeysView(keys=(), may_create=True, problem=FormProblem(ApiKeyWrong.GONE)),
        "api-keys-none": views.ApiKeysView(keys=(), may_create=False),
        "api-key-choose": views.ChooseApiView((api, views.ApiChoice("api_2", "Books"))),
        "api-key-new": views.NewApiKeyView(api=api, lines=lines, days=90, choices=(7, 30, 90, 365)),
        "api-key-new-wrong": views.NewApiKeyView(
            api=api,
            lines=lines,
            name=text,
            choices=(7,),
            networks=text,
            problem=FormProblem(ApiKeyWrong.TOO_MANY),
            name_problem=FormProblem(ApiKeyWrong.NAME),
            scopes_problem=FormProblem(ApiKeyWrong.SCOPES),
            days_problem=FormProblem(ApiKeyWrong.LIFE),
            networks_problem=FormProblem(ApiKeyWrong.NETWORKS),
        ),
        "api-key-renew": views.RenewApiKeyView(
            key="key_1", name=text, days=90, choices=(0, 3600, DAY, 7 * DAY)
        ),
        "api-key-renew-wrong": views.RenewApiKeyView(
            key="key_1",
            name=text,
            days=1,
            choices=(0,),
            problem=FormProblem(Wrong.TOO_MANY_TRIES, at=AT),
        ),
        "api-key-shown": views.ShowApiKeyView(
            name=text, text=KEY, api=text, expires_at=AT + 90 * DAY, old_until=AT + DAY
        ),
    }
