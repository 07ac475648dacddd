"""A server that knows where three networks are, and browsers in them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from doorward.adapters.mail.queue import open_message
from doorward.core.model.audit import AuditEvent
from doorward.features.places.build import places
from doorward.features.places.settings import PlacePolicy
from doorward.features.risk.settings import RiskPolicy
from doorward.settings.tree import MailSettings
from tests.front_channel import Front, front_channel
from tests.mmdb import write_mmdb
from tests.tabs import Tab
from tests.trusting import sign_out_of

LISBON: Final = "20.1.1.7"
BERLIN: Final = "20.2.2.7"
SYDNEY: Final = "20.3.3.7"
OTHER_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def _city(country: str, name: str, latitude: float, longitude: float) -> dict[str, Any]:
    return {
        "country": {"iso_code": country, "names": {"en": country}},
        "city": {"names": {"en": name}},
        "location": {"latitude": latitude, "longitude": longitude},
    }


def cities(folder: Path) -> Path:
    """A database with the places of three networks."""
    return write_mmdb(
        folder / "places.mmdb",
        {
            "20.1.1.0/24": _city("PT", "Lisbon", 38.72, -9.14),
            "20.2.2.0/24": _city("DE", "Berlin", 52.52, 13.40),
            "20.3.3.0/24": _city("AU", "Sydney", -33.87, 151.21),
        },
    )


@asynccontextmanager
async def watched(
    folder: Path, *, policy: RiskPolicy | None = None, database: str = ":memory:", **settings: Any
) -> AsyncGenerator[Front]:
    """The server, with mail and a database of places."""
    path = cities(folder)
    values: dict[str, Any] = {
        "risk": policy or RiskPolicy(),
        "mail": MailSettings(host="127.0.0.1", sender="auth@example.com"),
        "places": PlacePolicy(database=str(path)),
        "database": database,
        **settings,
    }
    async with front_channel(**values) as front:
        front.services.get(places).refresh()
        yield front


async def at_home(front: Front) -> Tab:
    """Ada's own browser in Lisbon, in which she has signed in before; a day passes."""
    tab = front.browser(LISBON)
    page = await tab.sign_in()
    assert page.header("location") == "/account", page.words
    sign_out_of(tab)
    front.clock.time += 86_400
    return tab


def stranger(front: Front, address: str = BERLIN) -> Tab:
    """Another browser elsewhere."""
    tab = front.browser(address)
    tab.user_agent = OTHER_AGENT
    return tab


async def assessed(front: Front, kind: str = "risk.assessed") -> list[AuditEvent]:
    """The verdicts, newest first."""
    return await front.audited(kind)


async def mailed_code(front: Front) -> str:
    """The code in the newest mail."""
    newest, *_ = await front.store.messages.recent_mail(1)
    code = open_message(front.services.sealer, newest).code
    assert code is not None
    return code
