"""The installer's log: ``E, [STAMP #pid] ERROR -- : text`` with raw output of apt and dpkg between (bin/install:45-60).

2.x writes ``[STAMPZ] command exit=N`` and the installer's output (update_agent.rs).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timezone

from agentdoctor.grammars import Gate, Grammar, Source, continued, epoch, text
from agentdoctor.model import Record

_STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"
START = re.compile(rb"\n(?:[DIWEFA], \[" + _STAMP + rb" #\d+\] +[A-Z]+ -- |\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\] )")
# Of a run that goes well every line is an INFO; of them only those about a fall-back ("Using ...") are more.
GATE = Gate(re.compile(rb"\n(?!I, \[[^\]]*\]  INFO -- : (?!Using|\[Aws::))[^\n]"), (b"",))
_HEADER = re.compile(
    rb"(?P<letter>[DIWEFA]), \[(?P<stamp>"
    + _STAMP
    + rb") #(?P<pid>\d{1,10})\] +(?P<level>[A-Z]+) -- [^:]*: ?(?P<message>.*)"
    rb"|\[(?P<utc>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z\] (?P<text>.*)",
    re.DOTALL,
)


def parse(first: bytes, rest: Sequence[bytes], source: Source, offset: int) -> Record | None:
    """One entry. A raw line of a package tool is an entry without stamp."""
    header = _HEADER.match(first)
    if not header:
        return Record(log="update", message=continued(text(first), rest), path=source.path, offset=offset)
    new = header["utc"] is not None
    said = text(header["text"] if new else header["message"])
    stamp = text(header["utc"] if new else header["stamp"])
    return Record(
        log="agent" if said.startswith("[Aws::") else "update",  # a wire log has the same form
        message=continued(said, rest),
        path=source.path,
        offset=offset,
        at=epoch(stamp, timezone.utc if new else source.zone),
        agent="2.x" if new else "1.x",
        level="" if new else text(header["level"]),
        pid=None if new else int(header["pid"]),
    )


GRAMMAR = Grammar("update", (GATE,), START, parse)
