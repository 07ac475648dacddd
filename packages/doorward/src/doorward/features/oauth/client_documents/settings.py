"""Settings of client-ID metadata documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta

from doorward.core.model.section import Section, Surroundings

_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
Count = Annotated[int, Meta(ge=1, le=100_000)]


class ClientDocumentPolicy(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which documents are accepted.

    `accept`: `none`; `pinned`, those that an operator has pinned; or `any`. `hosts`: the hosts whose documents are accepted, empty for all.
    `private_hosts`: hosts of documents and of their keys that may have private addresses. `most`: documents that are kept at a time.
    """

    accept: Literal["none", "pinned", "any"] = "none"
    hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    most: Count = 10_000

    def problems(self, around: Surroundings) -> Iterator[str]:
        """Hosts that are none."""
        del around
        for name, hosts in (("hosts", self.hosts), ("private_hosts", self.private_hosts)):
            for host in hosts:
                if not _HOST.fullmatch(host):
                    yield f'client_documents.{name} holds "{host}"; it should be a host like "app.example.com", in lower case'
