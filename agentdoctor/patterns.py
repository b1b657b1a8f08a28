"""Finding many regular expressions in a text: which words a text must hold before a pattern is tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from agentdoctor.linear import parser, sre

# A record's message is cut here before it is matched. The longest message of the agent's own (AppSpec not
# found, with three paths) has about 900 characters.
MESSAGE_LIMIT = 4096
_word = re.compile(r"\w+")


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
    """The longest text that every match holds; empty if there is none."""
    return max((run.strip("\0") for run in literals(pattern)), key=len, default="")


def words(pattern: str) -> set[str]:
    """Words that stand whole in every match: those with an edge on both sides inside a literal run."""
    found = set()
    for run in literals(pattern):
        for match in _word.finditer(run):
            if match.start() > 0 and match.end() < len(run):
                found.add(match[0])
    return found


class Index:
    """Which of many patterns are worth trying on a text: an inverted index of one rare word each.

    The time per text does not grow with the number of patterns. A pattern without a whole word of its own is
    tried on every text.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        named = {pattern: words(pattern) for pattern in dict.fromkeys(patterns)}
        frequency: dict[str, int] = {}
        for found in named.values():
            for word in found:
                frequency[word] = frequency.get(word, 0) + 1
        self._by_word: dict[str, list[str]] = {}
        self._always: list[str] = []
        for pattern, found in named.items():
            if found:
                rarest = min(found, key=lambda word: (frequency[word], -len(word), word))
                self._by_word.setdefault(rarest, []).append(pattern)
            else:
                self._always.append(pattern)
        self._words = frozenset(self._by_word)
        self._compiled: dict[str, re.Pattern[str]] = {}

    def search(self, text: str) -> Iterator[tuple[str, re.Match[str]]]:
        """Each pattern found in the text, with its match. Patterns are compiled when first needed."""
        text = text[:MESSAGE_LIMIT]
        tried = list(self._always)
        for word in self._words.intersection(_word.findall(text)):
            tried += self._by_word[word]
        for pattern in tried:
            match = self.compiled(pattern).search(text)
            if match:
                yield pattern, match

    def compiled(self, pattern: str) -> re.Pattern[str]:
        found = self._compiled.get(pattern)
        if found is None:
            found = self._compiled[pattern] = re.compile(pattern)
        return found
