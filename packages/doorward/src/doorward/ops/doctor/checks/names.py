"""Check for names or addresses that look the same to a reader. Part of `doctor`; changes nothing.

New ones are refused at creation. What older versions registered stays as it is: only the operator knows which is which, and can
rename.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from doorward.core.model.finding import Finding, passed
from doorward.core.text import same_as
from doorward.storage.sql.store import Store

_PAGE: Final = 1000
_MOST: Final = 20_000
_SHOWN: Final = 5


async def names(store: Store) -> Finding:
    """Compares apps, APIs, roles, and the first people's addresses. Raises `StoreUnavailable`."""
    config = await store.registry.load()
    found = [
        *_alike("app", ((app.name, app.id) for app in config.clients.values())),
        *_alike("API", ((api.name, api.id) for api in config.apis.values())),
        *_alike("role", ((role.name, role.id) for role in config.roles.values())),
    ]
    people, whole = await _people(store)
    found += _alike("person", people)
    seen = "" if whole else f" (of people the first {_MOST})"
    if not found:
        return passed(f"no two look the same{seen}")
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return passed(
        f"look the same: {'; '.join(found[:_SHOWN])}{more}{seen}",
        "Name each by its id, and give one of the two another name (doorward app set ID --name, doorward role create, user create).",
    )


def _alike(kind: str, named: Iterable[tuple[str, str]]) -> list[str]:
    by_key: dict[str, list[str]] = defaultdict(list)
    for name, id_ in named:
        by_key[same_as(name)].append(f"{name} ({id_})")
    return [f"{kind} {' and '.join(ones)}" for ones in by_key.values() if len(ones) > 1]


async def _people(store: Store) -> tuple[list[tuple[str, str]], bool]:
    found: list[tuple[str, str]] = []
    after: str | None = None
    while len(found) < _MOST:
        page = await store.accounts.page(after=after, limit=_PAGE)
        found += [(account.email, account.id) for account in page if account.email is not None]
        if len(page) < _PAGE:
            return found, True
        after = page[-1].id
    return found, False
