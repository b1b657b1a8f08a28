"""Text in no known format: a paste from a terminal, a console page, a ticket. Every pattern is tried on every line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentdoctor.grammars import EVERY_LINE, Grammar, Source, continued, text
from agentdoctor.grammars.report import about, decode
from agentdoctor.model import Record

# An indented line belongs to the one before it, as in the output of systemctl status.
# So do the lines of a hook's log, which the console shows below the message.
_LOG_TAIL = rb"(?:Log ?[Tt]ail:? ?)?(?:LifecycleEvent - |Script - |\[std(?:out|err)\])"
START = re.compile(rb"\n(?!" + _LOG_TAIL + rb")[^\s]")
_EVENT = re.compile(r"\bLifecycleEvent - (\w+)")


def parse(first: bytes, rest: Sequence[bytes], source: Source, offset: int) -> Record | None:
    """One line with the indented lines below it."""
    message = continued(text(first), rest)
    report = decode(message)
    if report:
        message = report.message
    event = _EVENT.search(message)
    deployment, revision = about(message, report.identifier if report else "", event=event[1] if event else "")
    return Record(
        log="text",
        message=message,
        path=source.path,
        offset=offset,
        deployment=deployment,
        revision=revision,
        succeeded=deployment.event if report and report.succeeded else "",
        report=report,
    )


GRAMMAR = Grammar("text", (EVERY_LINE,), START, parse)
