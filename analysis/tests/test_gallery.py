"""The gallery: every entry has its job, its figure and its section."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_entry_is_there(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "analysis"), *sys.path])
    from gallery_entries import ENTRIES

    page = (ROOT / "docs/gallery.md").read_text()
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES) > 40
    for entry in ENTRIES:
        assert (ROOT / f"jobs/{entry.job}.toml").exists() and (ROOT / f"docs/gallery/{entry.name}.png").exists(), entry.name
        assert f"## {entry.title}\n" in page, entry.name
