"""What a record may mean: the rules whose signature fits it, and what their named groups say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from agentdoctor.model import Record, Rule
from agentdoctor.patterns import MESSAGE_LIMIT, Index, compiled

# One failed poll is up to three entries, a failed event four; the agent itself waits 10 s before it tries again.
SAME_OCCURRENCE_SECONDS = 2.0
WRAPPED_LINES = 6  # of 80 columns hold every message that rules know
NARROWEST, WIDEST = 20, 400  # columns; a terminal breaks no line that is shorter or longer


class Meaning(NamedTuple):
    """The causes that one text may have, by id, and its details."""

    candidates: tuple[str, ...]
    details: Mapping[str, str]


class _Fit(NamedTuple):
    """A pattern that was found: the rules it may mean, whatever else stands in the record."""

    rules: tuple[Rule, ...]
    details: Mapping[str, str]


def same_occurrence(one: Record, other: Record) -> bool:
    """Whether two records tell of one and the same failure."""
    if one.report and other.report and one.report.identifier:
        return one.report.identifier == other.report.identifier
    if one.at is None or other.at is None:
        return False
    return one.pid == other.pid and abs(other.at - one.at) <= SAME_OCCURRENCE_SECONDS


class Meanings:
    """Finds the meanings of records, one after the other."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._said: dict[str, list[Rule]] = {}  # who has a pattern for messages
        self._printed: dict[str, list[Rule]] = {}  # who has one for what hooks print
        for rule in rules:
            for pattern in rule.signature.any if rule.signature else ():
                self._said.setdefault(pattern, []).append(rule)
            for pattern in rule.signature.output if rule.signature else ():
                self._printed.setdefault(pattern, []).append(rule)
        self._index, self._output = Index(self._said), Index(self._printed)
        self._vetoes: dict[str, Record] = {}  # by rule: the last record that was another failure
        self._lines: list[str] = []  # of a paste, that meant nothing yet
        # An agent that fails says the same again and again.
        self._fits = lru_cache(maxsize=512)(self._find)

    def of(self, record: Record) -> Sequence[Meaning]:
        """The meanings of a record. Records of one occurrence must come in their order."""
        printed = record.report.log if record.report and not record.report.succeeded else ""
        fits, meanings = self._fits(record.message, printed, record.log, record.agent, record.revision)
        if record.log == "text" and not meanings:
            return self._wrapped(record)
        if not fits:
            return meanings
        left = ((tuple(rule for rule in fit.rules if not self._vetoed(rule, record)), fit.details) for fit in fits)
        return _specific([_Fit(rules, details) for rules, details in left if rules])

    def _wrapped(self, record: Record) -> Sequence[Meaning]:
        """A terminal breaks long lines anywhere, so a line that means nothing is tried with the ones before it."""
        self._lines = [*self._lines, record.message][-WRAPPED_LINES:]
        for count in range(2, len(self._lines) + 1):
            if not NARROWEST <= len(self._lines[-count]) <= WIDEST:
                break
            for glue in ("", " "):
                whole = glue.join(line.strip() if glue else line for line in self._lines[-count:])
                meanings = _specific(self._search(_plain(whole), "", "text", record.agent, record.revision))
                if meanings:
                    self._lines = []
                    return meanings
        return ()

    def _find(
        self, message: str, printed: str, log: str, agent: str, revision: str
    ) -> tuple[tuple[_Fit, ...], tuple[Meaning, ...]]:
        """All that depends on the texts alone; a paste may be a message or what a hook printed.

        The fits are given only where one of their rules may be vetoed, so that the meanings are not the last word.
        """
        fits = self._search(message, printed, log, agent, revision)
        for mend in _MENDED:
            if fits:
                break
            if (texts := (mend(message), mend(printed))) != (message, printed):
                fits = self._search(*texts, log, agent, revision)
        may_be_vetoed = any(rule.signature and rule.signature.unless for fit in fits for rule in fit.rules)
        return tuple(fits) if may_be_vetoed else (), tuple(_specific(fits))

    def _search(self, message: str, printed: str, log: str, agent: str, revision: str) -> list[_Fit]:
        fits = []
        for pattern, match in self._index.search(message):
            rules = [rule for rule in self._said[pattern] if _takes(rule, log, agent, revision)]
            fits.append(_Fit(tuple(rules), _details(match)))
        alone = log in ("text", "scripts")  # what hooks print, without a report of how it ended
        for pattern, match in self._output.search(message if alone else printed):
            rules = [rule for rule in self._printed[pattern] if _takes(rule, "text" if alone else log, agent, revision)]
            fits.append(_Fit(tuple(rules), _details(match)))
        return [fit for fit in fits if fit.rules]

    def _vetoed(self, rule: Rule, record: Record) -> bool:
        """Whether another failure stands in the record, or stood in the report of the same occurrence.

        Only the report carries what the hook printed; the ERROR entry and the echo after it do not.
        """
        if rule.signature is None or not rule.signature.unless:
            return False
        before = self._vetoes.get(rule.id)
        if before and same_occurrence(before, record):
            return True
        whole = f"{record.message}\n{record.report.log}" if record.report else record.message
        if any(compiled(pattern).search(whole[:MESSAGE_LIMIT]) for pattern in rule.signature.unless):
            self._vetoes[rule.id] = record
            return True
        return False


_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PADDING = re.compile(r"(?<=\S) {2,}(?=\S)")
_GAP = re.compile(r"(?<=\S)(?: {6,}|\n)(?=\S)")


def _plain(text: str) -> str:
    """The text without colours, and without the blanks that a paste or a progress bar put between words."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    return _PADDING.sub(" ", text) if "  " in text else text


def _joined(text: str) -> str:
    """The text without the line breaks and wide gaps that a terminal put into words."""
    return _GAP.sub("", text) if "\n" in text or "      " in text else text


def _spaced(text: str) -> str:
    """The text in one line: a terminal may break it between words too."""
    return _GAP.sub(" ", text) if "\n" in text else text


# What may have become of a text on its way here, undone; the first way that makes it mean something counts.
_MENDED = (_plain, _joined, _spaced)


def _takes(rule: Rule, log: str, agent: str, revision: str) -> bool:
    """Whether a rule is about this log, this generation and this revision, as far as they are known."""
    signature = rule.signature
    return (
        signature is not None
        and (log == "text" or log in signature.log)
        and (not agent or agent in rule.agents)
        and (not signature.revision or not revision or signature.revision == revision)
    )


def _details(match: re.Match[str]) -> dict[str, str]:
    return {key: value for key, value in match.groupdict().items() if value}


def _specific(fits: Sequence[_Fit]) -> list[Meaning]:
    """Where one pattern names fewer causes than another that also fits, the narrower one counts; each once."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for fit in fits:
        found.setdefault(tuple(sorted(rule.id for rule in fit.rules)), {}).update(fit.details)
    return [
        Meaning(candidates, details)
        for candidates, details in found.items()
        if not any(set(other) < set(candidates) for other in found)
    ]
