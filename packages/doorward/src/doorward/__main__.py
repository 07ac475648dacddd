"""`python -m doorward` and the `doorward` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run one command; answers with the exit status."""
    from doorward.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
