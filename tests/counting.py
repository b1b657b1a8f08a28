"""Counts the work of a scan: how often a pattern is tried, and how much text it may look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from agentdoctor import logs, meanings, patterns, symptoms
from agentdoctor.grammars import Gate, Grammar


@dataclass
class Work:
    """What was handed to the engine of regular expressions."""

    searches: int = 0  # of rules' patterns
    searched: int = 0  # characters that those saw
    longest: int = 0  # text that one of them got
    read: int = 0  # bytes that the grammar's patterns saw

    @property
    def total(self) -> int:
        return self.searched + self.read


# How far an anchored pattern can look before it gives up: its line, and line breaks where it skips any blanks.
_LINE = re.compile(rb"\n?[^\n]*")
_LINES = re.compile(rb"\s*[^\n]*")


@dataclass(eq=False)
class _OfGrammar:
    """A pattern of a grammar, over bytes."""

    pattern: Any
    work: Work

    def search(self, text: Any, begin: int, end: int) -> Any:
        found = self.pattern.search(text, begin, end)
        self.work.read += (found.end() if found else min(end, len(text))) - begin
        return found

    def match(self, text: Any, begin: int, end: int) -> Any:
        blanks = any(repeat in self.pattern.pattern for repeat in (rb"\s*", rb"\s+"))
        reach = (_LINES if blanks else _LINE).match(text, begin, end)
        self.work.read += reach.end() - begin if reach else 0
        return self.pattern.match(text, begin, end)


@dataclass
class _OfRule:
    """A rule's pattern, over text."""

    pattern: re.Pattern[str]
    work: Work

    def search(self, text: str) -> re.Match[str] | None:
        found = self.pattern.search(text)
        self.work.searches += 1
        self.work.searched += found.end() if found else len(text)
        self.work.longest = max(self.work.longest, len(text))
        return found


def _counted(grammar: Grammar, work: Work) -> Grammar:
    start = grammar.start if isinstance(grammar.start, _OfGrammar) else _OfGrammar(grammar.start, work)
    return grammar._replace(start=start, gates=tuple(_counted_gate(gate, work) for gate in grammar.gates))


def _counted_gate(gate: Gate, work: Work) -> Gate:
    return gate if isinstance(gate.pattern, _OfGrammar) else gate._replace(pattern=_OfGrammar(gate.pattern, work))


@contextmanager
def counted() -> Iterator[Work]:
    """Count what logs.read and a Doctor do meanwhile."""
    work = Work()
    compiled, detect, every_entry = patterns.compiled, logs.detect, logs.every_entry
    of_rule = lambda pattern: _OfRule(compiled(pattern), work)  # noqa: E731
    with (
        mock.patch.object(patterns, "compiled", of_rule),
        mock.patch.object(meanings, "compiled", of_rule),
        mock.patch.object(symptoms, "compiled", of_rule),
        mock.patch.object(logs, "detect", lambda head: _counted(detect(head), work)),
        mock.patch.object(logs, "every_entry", lambda grammar: _counted(every_entry(grammar), work)),
        mock.patch.object(logs, "FRAME", _OfGrammar(logs.FRAME, work)),
    ):
        yield work
