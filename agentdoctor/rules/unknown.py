"""The first error of a log that no rule explains, and a pattern that would find it again elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from agentdoctor.doctor import Doctor
from agentdoctor.grammars import CONTINUATION_LIMIT, ENTRY_LIMIT, FRAME, Grammar, Source, detect
from agentdoctor.grammars import text as as_text
from agentdoctor.linear import PatternError, check
from agentdoctor.logs import PASTE, Stream, read
from agentdoctor.meanings import Meanings
from agentdoctor.model import Record, Rule
from agentdoctor.patterns import Index, words
from agentdoctor.scrub import scrub

LINE_READ = 1000  # characters of a message that are considered
PATTERN_LENGTH = 240  # characters of it that become the pattern: failures differ in how they begin
FRAMES_KEPT = 2  # lines of a trace in a sample; no pattern reads them

_SPEAKS_OF_ERROR = re.compile(r"(?i)\b(?:error|fatal|failed|failure|exception|cannot|could not|unable to|refused)\b")


def find(stream: Stream, path: str, rules: Sequence[Rule]) -> tuple[Record, str, str] | None:
    """The record, a pattern for it and its text as logged; None if every error is explained. OSError for no log.

    ``stream`` must be able to seek. Text without levels (a paste, the journal, output of a package tool) counts where
    it speaks of an error, and only if nothing better follows: a level is the writer's own word.
    """
    later: tuple[Record, str] | None = None
    for record, certain in _errors(stream, path, rules):
        pattern = pattern_of(record)
        if pattern and certain:
            return record, pattern, sample_of(stream, record)
        if pattern and later is None:
            later = record, pattern
    return (*later, sample_of(stream, later[0])) if later else None


def _errors(stream: Stream, path: str, rules: Sequence[Rule]) -> Iterator[tuple[Record, bool]]:
    """Records that no rule explains, and whether they are errors by their writer's word."""
    doctor, meanings = Doctor(rules), Meanings(rules)
    known = doctor.unexplained()
    for record in read(stream, Source(path), doctor.wanted):
        doctor.observe(record)
        before, known = known, doctor.unexplained()
        if known != before:
            yield record, True
        elif _may_be_error(record) and not meanings.of(record):
            yield record, False


def _may_be_error(record: Record) -> bool:
    """Text without a level that speaks of an error; what hooks print does so in good deployments too."""
    if record.level or record.report or record.log == "scripts":
        return False
    return bool(_SPEAKS_OF_ERROR.search(record.message))


def sample_of(stream: Stream, record: Record) -> str:
    """The record's entry as logged, without secrets and control characters, with the first frames of its trace."""
    start = _grammar(stream).start
    stream.seek(record.offset)
    first, *rest = (stream.read(ENTRY_LIMIT) or b"").split(b"\n")
    kept, frames = [first], 0
    for line in rest[:CONTINUATION_LIMIT]:
        frames += bool(FRAME.match(line))
        if start.match(b"\n" + line) or frames > FRAMES_KEPT:
            break
        kept.append(line)
    return scrub("\n".join(map(as_text, kept))).rstrip("\n")


def _grammar(stream: Stream) -> Grammar:
    """The grammar of a whole log, which may begin with the hole that a truncation left."""
    stream.seek(0)
    while part := stream.read(PASTE):
        if head := part.lstrip(b"\0"):
            return detect(head)
    return detect(b"")


# What stands before the message: in text of no known format a header, of the agent who speaks and what was raised.
_HEADER = re.compile(
    r"^(?:\S{0,8}\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*\s+(?:[A-Z]{4,7}\s+)?(?:\[[^\]\n]*\]: *)?"
    r"|(?:WARN|ERROR|FATAL)\s+\[[^\]\n]*\]: *)"
)
_SPEAKER = re.compile(r"^[A-Z]\w*(?:::[A-Z]\w*)+:(?: |$)")
_RAISED = re.compile(r"^(?:[A-Z][\w ]{0,60}: )?[A-Z]\w*(?:(?:::[A-Z]\w*)+|Error|Exception) - ")
_TRACE = re.compile(r"\s+- (?:/|<internal:|\./)\S*:\d+:in [`'].*")
# What neither a rule file nor a terminal should hold.
_ODD = re.compile("[^\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def pattern_of(record: Record) -> str:
    """A pattern of the record's message: what varies from host to host is named or bounded. "" if it has no word."""
    line = next((line for line in record.message.splitlines() if line.strip()), "")[:LINE_READ]
    told = _told(line)
    common = _common(told, _ODD.sub("", scrub(told)))
    return next((pattern for pattern in _candidates(_short(common)) if _good(pattern, line)), "")


def _told(line: str) -> str:
    """A message without what Ruby puts around it."""
    for around in (_HEADER, _SPEAKER, _RAISED, _TRACE):
        line = around.sub("", line)
    return line.strip()


def _common(one: str, other: str) -> str:
    """The longest part of a message that is the same with its secrets and without them."""
    if one == other:
        return one
    found = SequenceMatcher(None, one, other, autojunk=False).find_longest_match(0, len(one), 0, len(other))
    return one[found.a : found.a + found.size].strip()


def _short(message: str) -> str:
    if len(message) <= PATTERN_LENGTH:
        return message
    return message[:PATTERN_LENGTH].rpartition(" ")[0] or message[:PATTERN_LENGTH]


def _candidates(message: str) -> Iterator[str]:
    """From the best to the least: an edge keeps the pattern from beginning inside a word."""
    for body in (_masked(message), _literal(message)):
        yield _edge(message[:1]) + body + _edge(message[-1:])
        yield body


def _edge(character: str) -> str:
    return r"\b" if re.match(r"\w", character) else ""


def _good(pattern: str, line: str) -> bool:
    """Whether a rule may have it, and it finds what it was made from, shown and as logged."""
    try:
        check(pattern)
    except PatternError:
        return False
    index = Index([pattern])  # the way that a scan looks
    return bool(words(pattern)) and all(index.search(text) for text in (line, scrub(line)))


_END = r"""[^\s'",():;\]>.]"""  # how a path or an address ends: not with the punctuation of the sentence
_REST = r"""[^\s'",():;]{1,400}"""
# Kind, how it is recognised, and what stands for it. Limited repeats: whatever is pasted, the pattern stays linear.
_VARYING = (
    ("stamp", r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"),
    ("url", rf"""\b(?:https?|s3)://[^\s'",()]*{_END}""", r"""\w{2,5}://[^\s'",()]{1,400}"""),
    ("arn", rf"""\barn:aws[^\s'",()]*{_END}""", r"""arn:aws[^\s'",()]{1,400}"""),
    ("deployment", r"\bd-[A-Z0-9]{9}\b", r"d-[A-Z0-9]{9}"),
    ("instance", r"\bm?i-[0-9a-f]{8,17}\b", r"m?i-[0-9a-f]{8,17}"),
    ("uuid", r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", r"[0-9a-fA-F-]{36}"),
    ("path", rf"""(?<![\w.:/])/[^\s'",():;]*{_END}""", rf"/{_REST}"),
    ("file", r"(?<![\w./:-])(?:[\w.@-]{1,100}/){1,20}[\w.@-]{1,100}\.\w{1,8}\b", _REST),
    ("address", r"\b\d{1,3}(?:\.\d{1,3}){3}\b", r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"),
    (
        "host",
        r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.(?:com|net|org|io|internal|local|cn|aws)\b|\bip-\d+(?:-\d+){3}\b",
        r"[\w.-]{1,253}",
    ),
    ("hex", r"\b(?:0x[0-9a-f]{1,32}|(?=[a-f]*\d)[0-9a-f]{12,128})\b", r"[0-9a-fx]{3,128}"),
    ("number", r"(?<![A-Za-z\d_])\d{1,30}", r"\d{1,30}"),
)
_NAMED = {"url": "url", "arn": "arn", "path": "path", "file": "path", "host": "host"}
_STANDS_FOR = {kind: stands for kind, _recognised, stands in _VARYING}
_VARIES = re.compile("|".join(f"(?P<{kind}>{recognised})" for kind, recognised, _stands in _VARYING), re.ASCII)


def _masked(message: str) -> str:
    """The message as a pattern, with groups and classes for what varies."""
    parts, position = [], 0
    seen: Counter[str] = Counter()
    for found in _VARIES.finditer(message):
        kind = found.lastgroup or ""
        stands = _STANDS_FOR[kind]
        if kind in _NAMED:
            seen[_NAMED[kind]] += 1
            number = seen[_NAMED[kind]]
            stands = f"(?P<{_NAMED[kind]}{'' if number == 1 else f'_{number}'}>{stands})"
        parts += [_literal(message[position : found.start()]), stands]
        position = found.end()
    return "".join([*parts, _literal(message[position:])])


def _literal(message: str) -> str:
    """re.escape without the backslashes that only a verbose pattern or a class would need."""
    return re.sub(r"\\([ \-#&~])", r"\1", re.escape(message)).replace("\\\t", r"\t")


def telling(pattern: str) -> list[str]:
    """The words of a pattern's literal text, in lower case and in order, for a name."""
    plain = re.sub(r"\(\?P<\w+>[^)]*\)+|\\?\[[^\]]*\]|\{[\d,]+\}|\\.", " ", pattern)
    return [word.lower() for word in re.findall(r"[A-Za-z]{2,}", plain)]
