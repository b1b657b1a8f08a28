"""Finding many regular expressions in a text: which words a text must hold before a pattern is tried."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from agentdoctor.linear import parser, sre

# A record's message is cut here before it is matched. The longest message of the agent's own (AppSpec not
# found, with three paths) has about 900 characters.
MESSAGE_LIMIT = 4096
_TELLING = 12  # characters

_WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_SPLIT = bytes(byte if byte in _WORD else 32 for byte in range(256))


# What is known of patterns without parsing them, from the compiled catalogue: (words, needle).
KNOWN: dict[str, tuple[frozenset[bytes], str]] = {}


def facts(pattern: str) -> tuple[frozenset[bytes], str]:
    """The words and the needle of a pattern."""
    known = KNOWN.get(pattern)
    if known is None:
        known = KNOWN[pattern] = (frozenset(words(pattern)), needle(pattern))
    return known


def literals(pattern: str) -> list[str]:
    """Runs of characters that every match must hold, in order. A NUL marks an edge that is a real one (^, $)."""
    return ["".join(run) for run in _runs(parser.parse(pattern)) if run]


def _runs(parsed: Any) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for op, arg in parsed:
        if op is sre.LITERAL:
            runs[-1].append(chr(arg))
        elif op is sre.AT and arg is not sre.AT_NON_BOUNDARY:
            runs[-1].append("\0")
        elif op is sre.SUBPATTERN and not arg[1] and not arg[2]:
            inner = _runs(arg[-1])
            runs[-1].extend(inner[0])
            runs.extend(inner[1:])
        else:  # anything else may be absent or may be several things
            runs.append([])
    return runs


def needle(pattern: str) -> str:
    """A text that every match holds, to be looked for in bytes; empty if there is none.

    The last of some length: the agent's lines begin alike, and say at their end what they are about.
    """
    runs = [run.strip("\0") for run in literals(pattern)]
    return next((run for run in reversed(runs) if len(run) >= _TELLING), max(runs, key=len, default=""))


def tokens(text: str) -> list[bytes]:
    """The words of a text: runs of letters, digits and underscores of ASCII.

    On bytes, because that is ten times as fast as a search for ``\\w+``.
    """
    return text.encode("utf-8", "surrogatepass").translate(_SPLIT).split()


def words(pattern: str) -> set[bytes]:
    """Words that stand whole in every match: those with an edge on both sides inside a literal run."""
    found: set[bytes] = set()
    for run in literals(pattern):
        parts = run.encode("utf-8", "surrogatepass").translate(_SPLIT).split(b" ")
        found.update(parts[1:-1])  # the first and the last may be cut
    return found - {b""}


class Index:
    """Which of many patterns are worth trying on a text: an inverted index of one rare word each.

    The time per text does not grow with the number of patterns. A pattern without a whole word of its own is
    tried on every text.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        named = {pattern: facts(pattern)[0] for pattern in dict.fromkeys(patterns)}
        frequency = Counter(word for found in named.values() for word in found)
        self._by_word: dict[bytes, list[str]] = {}
        self._always: list[str] = []
        for pattern, found in named.items():
            if found:
                rarest = min(found, key=lambda word: (frequency[word], -len(word), word))
                self._by_word.setdefault(rarest, []).append(pattern)
            else:
                self._always.append(pattern)
        self._words = frozenset(self._by_word)
        self._needles = {pattern: facts(pattern)[1] for pattern in named}

    def search(self, text: str) -> tuple[tuple[str, re.Match[str]], ...]:
        """Each pattern found in the text, with its match."""
        text = text[:MESSAGE_LIMIT]
        tried = list(self._always)
        for word in sorted(self._words.intersection(tokens(text))):  # else details depend on the process
            tried += self._by_word[word]
        found = []
        for pattern in tried:
            if self._needles[pattern] in text:
                match = compiled(pattern).search(text)
                if match:
                    found.append((pattern, match))
        return tuple(found)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled when it is first needed: most never are."""
    return re.compile(pattern)


def compile_all() -> None:
    """Compile every pattern that an index knows: for a process that has time now and may have none later."""
    for pattern in KNOWN:
        compiled(pattern)
