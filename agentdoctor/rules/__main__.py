"""python -m agentdoctor.rules: make what is made from the shipped rules, their compiled form and their pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agentdoctor.report.page import documents
from agentdoctor.rules import compiled, from_sources

PAGES = Path(__file__).parents[2] / "docs" / "failures"


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Write Markdown by file name, and remove the pages of rules that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def main() -> None:
    """What ``make rules`` does."""
    rules = from_sources()
    compiled.PATH.write_text(compiled.dump(rules), encoding="utf-8")
    write_pages(PAGES, documents(rules))


if __name__ == "__main__":
    main()
