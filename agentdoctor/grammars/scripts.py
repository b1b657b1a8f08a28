"""What hooks print: a deployment's scripts.log (``STAMP [stderr]text``), and ``[STAMP.mmm] [d-ID][stderr]text`` of 1.x.

Output proves nothing about how a hook ended: commands of hooks that succeed write to stderr too. But a deployment
ends with the hook that failed, and a hook that failed mostly ends with why. So of these logs one record is made: the
last words, the last lines of the last hook. They count only where the agent's own report is not there to be asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentdoctor.grammars import Gate, Grammar, Source, epoch, text
from agentdoctor.model import Deployment, Record

START = re.compile(rb"\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:LifecycleEvent - |Script - |\[stdout\]|\[stderr\])")
_NOTHING = Gate(re.compile(rb"(?!)"))
_LINES = 3  # as many as a shell takes to say what it could not do
_LINE = re.compile(
    r"\[?(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d{3}\] \[(?P<id>d-[\w-]+)\]|(?:\.\d{3}\])? )"
    r"(?:LifecycleEvent - (?P<event>\w+)|Script - (?P<script>.+)|(?P<output>\[std(?:out|err)\].*))"
)
# A script whose last line has no line break has the next entry glued to it.
_GLUED = re.compile(r"(?<=.)(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:LifecycleEvent - |Script - |\[std(?:out|err)\]))")
_DEPLOYMENT = re.compile(r"/(d-[A-Z0-9]{9})/")


def parse(first: bytes, rest: Sequence[bytes], source: Source, offset: int) -> Record | None:
    """Never a record: see last_words."""
    return None


def last_words(tail: bytes, source: Source) -> Record | None:
    """The end of such a log; None when the last hook printed nothing."""
    event = script = id_ = stamp = ""
    output: list[str] = []
    for line in _GLUED.sub("\n", text(tail)).split("\n"):
        found = _LINE.match(line)
        if not found:
            continue
        stamp, id_ = found["stamp"], found["id"] or id_
        if found["event"]:
            event, script, output = found["event"], "", []
        elif found["script"]:
            script, output = found["script"].strip(), []
        elif found["output"]:
            output.append(found["output"])
    path = _DEPLOYMENT.search(source.path)
    deployment = Deployment(id_ or (path[1] if path else ""), "", event, script)
    if not output:
        return None
    return Record(
        log="scripts",
        message="\n".join(output[-_LINES:]),
        path=source.path,
        at=epoch(stamp, source.zone),
        deployment=deployment,
    )


GRAMMAR = Grammar("scripts", (_NOTHING,), START, parse, last=last_words)
