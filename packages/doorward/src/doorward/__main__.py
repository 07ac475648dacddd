"""`python -m doorward` and the `doorward` command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from doorward.cli.tools import Workshop


class _WhenAsked:
    """The workshop, loaded with the first command that needs one: who asks for help or misspells need not wait for it."""

    def __getattr__(self, name: str) -> Any:
        from doorward.app.admin_services import CommandWorkshop

        return getattr(CommandWorkshop(), name)


def main() -> int:
    """Run one command; answers with the exit status."""
    from doorward.cli import main as run

    return run(cast("Workshop", _WhenAsked()))


if __name__ == "__main__":
    sys.exit(main())
