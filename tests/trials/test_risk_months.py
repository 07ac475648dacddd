"""Tests of the generated months: one seed gives one table, no rule is imported, and what is planted is there."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from ipaddress import ip_address
from pathlib import Path

from trials.risk import months as generator
from trials.risk.attacks import ELSEWHERE, KNOWN_AGENT, NEAR, SPRAY, STUFFING, TRAVEL
from trials.risk.groups import GROUPS
from trials.risk.months import months
from trials.risk.table import START, as_text, fingerprint

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = {SPRAY, STUFFING, TRAVEL, ELSEWHERE, NEAR, KNOWN_AGENT}


def test_the_generator_imports_nothing_but_itself_and_the_standard_library() -> None:
    seen: set[str] = set()
    waiting = [generator.__name__]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        source = (ROOT / f"{name.replace('.', '/')}.py").read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            found = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in found:
                if module.startswith("trials.risk."):
                    waiting.append(module)
                else:
                    assert module.partition(".")[0] in sys.stdlib_module_names, f"{name} imports {module}"
    assert len(seen) == 7


def test_one_seed_gives_the_same_bytes_in_another_process() -> None:
    code = "from trials.risk.months import months; from trials.risk.table import as_text; print(as_text(months(7, 600).lines), end='')"
    for seed in ("0", "1"):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=True)
        assert ended.stdout.decode() == as_text(months(7, 600).lines)
    assert fingerprint(months(7, 600).lines) != fingerprint(months(8, 600).lines)


def test_groups_are_of_equal_size_and_each_attack_is_planted() -> None:
    made = months(7, 5000)
    tried = [line for line in made.lines if line.what == "tried" and line.at >= START]
    assert 5000 <= len(tried) <= 6000
    groups = Counter(line.group for line in tried if not line.attack)
    assert set(groups) == {label for label, _ in GROUPS}
    assert min(groups.values()) > 700
    attacks = Counter(line.attack for line in tried if line.attack)
    assert set(attacks) == ATTACKS
    assert (attacks[SPRAY], attacks[STUFFING], attacks[ELSEWHERE]) == (200, 150, 20)
    assert [line.at for line in made.lines] == sorted(line.at for line in made.lines)
    assert all(ip_address(line.address).is_global for line in tried)
    created = {line.account: line.at for line in made.lines if line.what == "created"}
    assert all(line.at >= created[line.account] for line in made.lines)
    honest = {line.device for line in tried if not line.attack}
    assert not honest & {line.device for line in tried if line.attack}, "nobody steals cookies"
