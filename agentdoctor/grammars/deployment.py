"""The deployment log: ``[STAMP.mmm] [d-ID]text`` of 1.x (hook_executor.rb:306), ``[STAMP.mmm] text`` of 2.x.

1.x writes only what hooks print, so nothing in it says that an event failed; 2.x writes ``Event failed: message``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentdoctor.grammars import Gate, Grammar, Source, continued, epoch, text
from agentdoctor.grammars.report import about
from agentdoctor.grammars.scripts import last_words
from agentdoctor.model import Record

_STAMP = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
START = re.compile(rb"\n\[" + _STAMP + rb"\] ")
# Output of hooks is no verdict: commands that succeed write to stderr too.
GATE = Gate(re.compile(rb"\n\[\d.{22}\] (?!\[d-|\[std|LifecycleEvent - |Script - )"))
_HEADER = re.compile(
    rb"\[(?P<stamp>" + _STAMP + rb")\] (?:\[(?P<deployment>[^\]]+)\])?(?P<output>\[(?:stdout|stderr)\])?"
    rb"(?:(?P<command>\w+)/(?P<event>\w+) failed: )?(?P<message>.*)",
    re.DOTALL,
)


def parse(first: bytes, rest: Sequence[bytes], source: Source, offset: int) -> Record | None:
    """One entry; None if the line is not the first of one, or is what a hook printed."""
    header = _HEADER.match(first)
    if not header or header["output"] or not header["event"]:
        return None
    message = continued(text(header["message"]), rest)
    deployment, revision = about(message, "", text(header["deployment"] or b""), text(header["event"]))
    return Record(
        log="deployment",
        message=message,
        path=source.path,
        offset=offset,
        at=epoch(text(header["stamp"]), source.zone),
        agent="2.x",
        level="ERROR",
        deployment=deployment,
        revision=revision,
    )


GRAMMAR = Grammar("deployment", (GATE,), START, parse, last=last_words)
