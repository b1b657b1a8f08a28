"""Names in a bundle: what a location means, and which name was meant where there is none."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Collection, Mapping
from functools import cached_property

from agentdoctor.bundle.entries import Entry

_LIKE = 0.75
_COMPARED = 2000  # names; more would cost more than they help
_COMPARISONS = 20  # names that are wrong; whoever has more of them has another problem
_LINKS = 20  # in each other


def within(root: str, location: str) -> str | None:
    """The path of a location, relative to the AppSpec even where it begins with a slash; None if it leads out."""
    path = posixpath.normpath(location.lstrip("/"))
    if path == ".." or path.startswith("../") or "\0" in location:
        return None
    joined = path if not root else f"{root}/{path}"
    return root if path == "." else joined


def followed(entries: Mapping[str, Entry], path: str) -> Entry | None:
    """The entry at a path, links followed; None if there is none, or it leads out."""
    for _ in range(_LINKS):
        entry = entries.get(path)
        if entry is None or entry.kind != "link":
            return entry
        target = leads_to(path, entry)
        if target is None:
            return None
        path = target
    return None


def leads_to(path: str, link: Entry) -> str | None:
    """Where a link leads in the bundle; None if it leads out."""
    if link.target.startswith("/"):
        return None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link.target))
    return None if target == ".." or target.startswith("../") else target


class Names:
    """The paths of a bundle, to tell which of them was meant. They are sorted once, and only a few are compared."""

    def __init__(self, paths: Collection[str]) -> None:
        self._paths = paths
        self._left = _COMPARISONS

    @cached_property
    def _small(self) -> dict[str, str]:
        """Paths by what they are in small letters, and by their last part where no path is that."""
        last = {posixpath.basename(path).lower(): path for path in reversed(list(self._paths))}
        return last | {path.lower(): path for path in self._paths}

    @cached_property
    def _compared(self) -> list[str]:
        return [posixpath.basename(path).lower() for path in list(self._paths)[:_COMPARED]]

    def nearest(self, path: str) -> str:
        """The path that was meant, as the end of a sentence; "" if none is like it."""
        small = path.lower()
        name = posixpath.basename(small)
        same = self._small.get(small) or self._small.get(name)
        if not same and self._left:
            self._left -= 1
            near = difflib.get_close_matches(name[:100], self._compared, 1, _LIKE)
            same = self._small[near[0]] if near else None
        return f"; did you mean {same}?" if same else ""
