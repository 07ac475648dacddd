"""Tests that every changelog fragment can be folded into the changelog without loss."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tools import changelog


def test_every_fragment_of_the_repository_can_be_folded() -> None:
    found = changelog.fragments(changelog.FRAGMENTS)
    text = changelog.folded(
        changelog.CHANGELOG.read_text("utf-8"), changelog.section("9.9.9", date(2030, 1, 2), found)
    )
    for path in found:
        assert " ".join(path.read_text("utf-8").split()) in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rotation.md", "Something."),
        ("rotation.news.md", "Something."),
        ("Rotation.added.md", "Something."),
        ("rotation.added.txt", "Something."),
        ("rotation.added.md", ""),
        ("rotation.added.md", "# Rotation"),
        ("rotation.added.md", "- something"),
    ],
)
def test_an_invalid_fragment_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(changelog.BadFragment, match=name.replace(".", r"\.")):
        changelog.fragments(tmp_path)


def test_releases_are_ordered_newest_first_and_by_kind(tmp_path: Path) -> None:
    for name, text in {
        "README.md": "# Not a fragment",
        "b.fixed.md": "A fix\nover two lines.\n",
        "a.added.md": "A feature.\n",
        "c.security.md": "A hole.\n",
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
    start = f"# Changelog\n\n{changelog.MARK}\n"
    one = changelog.folded(start, changelog.section("0.1.0", date(2030, 1, 2), changelog.fragments(tmp_path)))
    assert one == (
        f"# Changelog\n\n{changelog.MARK}\n\n## 0.1.0 (2030-01-02)\n\n### Security\n\n- A hole.\n\n"
        "### Added\n\n- A feature.\n\n### Fixed\n\n- A fix over two lines.\n"
    )
    two = changelog.folded(one, "## 0.2.0 (2030-02-03)")
    assert two.index("## 0.2.0") < two.index("## 0.1.0")
    assert two.count("A feature.") == 1


def test_the_command_folds_and_clears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "changelog.d"
    folder.mkdir()
    (folder / "a.added.md").write_text("A feature.\n", "utf-8")
    log = tmp_path / "CHANGELOG.md"
    log.write_text(f"# Changelog\n\n{changelog.MARK}\n", "utf-8")
    monkeypatch.setattr(changelog, "CHANGELOG", log)
    monkeypatch.setattr(changelog, "FRAGMENTS", folder)
    assert changelog.main(["not-a-version"]) == 2
    assert changelog.main(["0.1.0", "tomorrow"]) == 1
    assert (folder / "a.added.md").exists()
    assert changelog.main(["0.1.0", "2030-01-02"]) == 0
    assert "- A feature." in log.read_text("utf-8")
    assert not (folder / "a.added.md").exists()
    assert changelog.main(["0.1.1"]) == 1
    assert "nothing to release" in capsys.readouterr().err
