"""The answers of verify, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from agentdoctor.host import iso
from agentdoctor.report import Run, headline
from agentdoctor.report.text import clock, labelled
from agentdoctor.scrub import line, scrub
from agentdoctor.verify import Answer, Proven, worst

SCHEMA = "agentdoctor.verify/1"
_WORDS = {
    Proven.FIXED: "FIXED",
    Proven.NOT_YET: "NOT PROVEN YET",
    Proven.BROKEN: "STILL BROKEN",
    Proven.UNKNOWN: "COULD NOT LOOK",
}


def as_text(answers: Sequence[Answer], run: Run) -> str:
    """A few lines for each answer; what a check says where there was nothing to verify."""
    if not answers:
        return f"nothing to verify: {headline(run)}\n"
    return "\n".join("\n".join(_answer(answer, run)) for answer in answers) + "\n"


def _answer(answer: Answer, run: Run) -> Iterator[str]:
    since = f" since {clock(answer.at, run.started_at)}" if answer.at is not None else ""
    yield f"{_WORDS[answer.proven]} {answer.id}{since}"
    yield from labelled("shown", [line(text) for text in answer.because])


def as_json(answers: Sequence[Answer], run: Run) -> str:
    """One JSON document of schema agentdoctor.verify/1: exit_code, and id, proven, because and at of each answer."""
    document = {
        "schema": SCHEMA,
        "started_at": iso(run.started_at),
        "exit_code": worst(answers) if answers else run.exit_code,
        "answers": [
            {
                "id": answer.id,
                "proven": answer.proven.name.lower(),
                "because": [scrub(text) for text in answer.because],
                "at": iso(answer.at),
            }
            for answer in answers
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
