"""The nearest right name, for errors that help."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, words: Iterable[str]) -> str:
    """The nearest known name, as the end of an error message; empty when nothing is near."""
    import difflib

    near = difflib.get_close_matches(word, list(words), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
