"""What lint would change, as a unified diff in the form of git."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from agentdoctor.bundle.mending import Change
from agentdoctor.scrub import line, scrub

_SHOWN = 40  # lines of a file; line endings change all of them


def render(changes: Sequence[Change], verbose: bool = False) -> str:
    """All changes. A CR and the like are shown as escapes, and what looks like a secret is not shown."""
    return "".join(f"{row}\n" for change in changes for row in _change(change, verbose))


def _change(change: Change, verbose: bool) -> Iterator[str]:
    old, new = line(change.path), line(change.new_path)
    yield f"diff a/{old} b/{new}"
    if change.mode != change.new_mode:
        yield f"old mode {0o100000 | change.mode:o}"
        yield f"new mode {0o100000 | change.new_mode:o}"
    if change.path != change.new_path:
        yield f"rename from {old}"
        yield f"rename to {new}"
    rows = list(difflib.unified_diff(_rows(change.before), _rows(change.after), f"a/{old}", f"b/{new}", lineterm=""))
    shown = rows if verbose else rows[:_SHOWN]
    yield from shown
    if len(rows) > len(shown):
        yield f"... and {len(rows) - len(shown)} more lines of this file (-v shows them)"


def _rows(content: bytes) -> list[str]:
    """Lines as they can be shown, one for each."""
    rows = scrub(content.decode("utf-8", "replace").replace("\t", "    ")).split("\n")
    return rows if rows[-1] else rows[:-1]
