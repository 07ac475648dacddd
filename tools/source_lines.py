"""Count of source lines: lines that hold code, without blank lines, comments and docstrings.

Run as `python tools/source_lines.py [FOLDER …]`; without a folder it counts the server's package. It prints the lines of each
folder below and their sum, so that two versions of the tree can be compared.
"""

from __future__ import annotations

import ast
import sys
import tokenize
from collections import Counter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SERVER: Final = ROOT / "packages" / "doorward" / "src" / "doorward"
_NO_CODE: Final = frozenset(
    {
        tokenize.COMMENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
        tokenize.INDENT,
        tokenize.NEWLINE,
        tokenize.NL,
    }
)


def source_lines(path: Path) -> int:
    """How many lines of a Python file hold code. A text over several lines counts as many; one that is a statement by itself (a
    docstring, or the words under a constant) counts none. Raises SyntaxError for a file that is no Python."""
    words = {
        line
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    code: set[int] = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in _NO_CODE:
                code.update(range(token.start[0], token.end[0] + 1))
    return len(code - words)


def by_folder(root: Path) -> Counter[str]:
    """Source lines below `root`, by its folders; "." is for files that stand in `root` itself."""
    found: Counter[str] = Counter()
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        found[parts[0] if len(parts) > 1 else "."] += source_lines(path)
    return found


def main(folders: list[str]) -> int:
    for root in [Path(folder) for folder in folders] or [SERVER]:
        if not root.is_dir():
            print(f"{root} is no folder", file=sys.stderr)
            return 2
        found = by_folder(root)
        for name, lines in sorted(found.items()):
            print(f"{lines:7}  {name}")
        print(f"{found.total():7}  in all")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
