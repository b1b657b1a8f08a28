"""Logs that somebody broke, or wrote to break us, and what must be true of every record read from them."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from agentdoctor import logs
from agentdoctor import rules as catalogue
from agentdoctor.doctor import Doctor
from agentdoctor.grammars import CONTINUATION_LIMIT, ENTRY_LIMIT, Grammar, Source
from agentdoctor.model import Deployment, Finding, Record, Report

CORPUS = Path(__file__).parent / "corpus"
LOG = "var/log/aws/codedeploy-agent/codedeploy-agent.log"

# An entry may begin one more line just before its limit, and a byte that is no UTF-8 is shown as four characters.
TEXT_LIMIT = 4 * (2 * ENTRY_LIMIT + CONTINUATION_LIMIT)
RULES = catalogue.load().rules  # no argument of tests: hypothesis prints those
KINDS = {"agent", "deployment", "scripts", "update", "journal", "text"}


def real_logs() -> list[bytes]:
    """The agent logs of the corpus."""
    return [path.read_bytes() for path in sorted(CORPUS.glob(f"*/{LOG}"))]


def scan(raw: bytes, grammar: Grammar | None = None) -> tuple[list[Record], list[Finding]]:
    """Bytes through the public path, each record judged; ``grammar`` instead of the one that the text speaks."""
    doctor = Doctor(RULES)
    source, stream = Source("hostile.log"), io.BytesIO(raw)
    try:
        if grammar:
            found = logs.read_as(grammar, stream, source, doctor.wanted)
        else:
            found = logs.read(stream, source, doctor.wanted)
    except logs.NotALog:
        return [], []
    records = []
    for record in found:
        doctor.observe(record)
        judge(record)
        records.append(record)
    assert all(len(entry.template) <= TEXT_LIMIT for entry in doctor.unexplained())
    findings = doctor.findings(0.0)
    judge_order(records, len(raw))
    return records, findings


def judge(record: Record) -> None:
    """Every field has its type, and none is longer than an entry may be."""
    assert record.log in KINDS
    assert record.agent in ("", "1.x", "2.x")
    assert record.revision in ("", "current", "last")
    assert record.pid is None or type(record.pid) is int
    assert record.at is None or (type(record.at) is float and math.isfinite(record.at))
    _judge_texts(record.message, record.path, record.level, record.succeeded)
    assert type(record.deployment) is Deployment
    _judge_texts(*(getattr(record.deployment, name) for name in Deployment.__slots__))
    if record.report is not None:
        _judge_report(record.report)


def _judge_report(report: Report) -> None:
    assert type(report.succeeded) is bool
    assert report.code is None or isinstance(report.code, int)
    _judge_texts(report.script, report.message, report.log, report.identifier)


def _judge_texts(*texts: str) -> None:
    for text in texts:
        assert type(text) is str
        assert len(text) <= TEXT_LIMIT


def judge_order(records: Sequence[Record], size: int) -> None:
    """Each record stands behind the one before it, and inside the text.

    Not so the last hook's last words and a gap between polls: they are read when the file ends, wherever they stand.
    """
    assert all(0 <= record.offset < size for record in records)
    in_place = [x.offset for x in records if x.log != "scripts" and not x.message.startswith("polls came every ")]
    assert all(one < other for one, other in pairwise(in_place))


# --- what happens to logs on their way: each takes the text, a place in it, and a number


def _at(raw: bytes, place: int, new: bytes) -> bytes:
    return raw[:place] + new + raw[place:]


def _line(raw: bytes, place: int) -> tuple[int, int]:
    """Begin and end of the line around a place, with its line break."""
    begin, end = raw.rfind(b"\n", 0, place) + 1, raw.find(b"\n", place)
    return begin, end + 1 if end >= 0 else len(raw)


def _duplicate(raw: bytes, place: int, number: int) -> bytes:
    begin, end = _line(raw, place)
    return _at(raw, end, raw[begin:end] * (number % 20))


def _glue(raw: bytes, place: int, number: int) -> bytes:
    """The line breaks after a place are lost, so that some entries stand in one line."""
    return raw[:place] + raw[place:].replace(b"\n", b"", 1 + number % 5)


def _wrap(raw: bytes, place: int, number: int) -> bytes:
    """A terminal's copy."""
    begin, end = _line(raw, place)
    lines = [raw[at : min(at + 80, end)] for at in range(begin, end, 80)]
    return raw[:begin] + b"\n".join(lines) + raw[end:]


STRANGE = (b"\0", b"\0" * 4096, b"\r", b"\r\n", b"\x1b[31m", b"\x1b]0;x\x07", b"caf\xe9", b"\xff\xfe", b"\xed\xa0\x80")
MARKS = b'"\\[({]})/: x\t-<'
TELLING = (
    b'put_host_command_complete(command_status:"Failed",diagnostics:{format:"JSON",payload:"',
    b'\\"message\\":\\"',
    b'\\"error_code\\": 1e9',
    b"\\u{10ffff}\\ud800\\x",
    b'",host_command_identifier:"ZA=',
    b"2026-02-30T25:61:61 ERROR ",
    b"0001-01-01 00:00:00 FATAL [x(1)]: ",
    b"deployment{deployment_id=d-AAAAAAAAA command=Install app=}: ",
)

MUTATIONS: dict[str, Callable[[bytes, int, int], bytes]] = {
    "cut behind": lambda raw, place, _: raw[:place],
    "cut before": lambda raw, place, _: raw[place:],
    "cut out": lambda raw, place, number: raw[:place] + raw[place + number :],
    "glue": _glue,
    "duplicate": _duplicate,
    "wrap at 80 columns": _wrap,
    "strange bytes": lambda raw, place, number: _at(raw, place, STRANGE[number % len(STRANGE)]),
    "carriage returns": lambda raw, place, _: raw[:place] + raw[place:].replace(b"\n", b"\r\n"),
    "pad blanks": lambda raw, place, number: _at(raw, place, b" " * number),
    "empty lines": lambda raw, place, number: _at(raw, place, b"\n" * (number % 300)),
    "a line of 20,000": lambda raw, place, number: _at(
        raw, place, MARKS[number % len(MARKS)].to_bytes(1, "big") * 20_000
    ),
    "digits": lambda raw, place, number: _at(raw, place, b"7" * (number % 20_000)),
    "half a word of ours": lambda raw, place, number: _at(raw, place, TELLING[number % len(TELLING)]),
}
