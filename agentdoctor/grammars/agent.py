"""The agent log: 1.x ``STAMP LEVEL [program(pid)]: text`` in local time, 2.x ``STAMP LEVEL text`` in UTC.

After an upgrade both stand in one file. Patterns: log.rb:30 for 1.x (a T in the stamp since 1.6.0, a blank
before), agent_logger.rs with tracing-subscriber's full format for 2.x.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timezone
from functools import lru_cache
from typing import NamedTuple

from agentdoctor.grammars import Gate, Grammar, Source, continued, epoch, text
from agentdoctor.grammars.report import about, decode
from agentdoctor.grammars.rhythm import gap
from agentdoctor.model import Deployment, Record, Report

_STAMP = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
_LEVEL = rb"(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL|UNKNOWN)"

START = re.compile(rb"\n" + _STAMP + rb" {1,2}" + _LEVEL + rb" ")

# What an idle or deploying agent writes all the time, and what nobody asks for: version notes, and calls that
# AWS answered with 200 unless they report a failed event or took a hundred seconds and more.
# It is tried on each line. DOTALL jumps over so many bytes where a repetition looks at each: over a stamp, over the
# rest of the level and the first letters of the program's name (of its default there are sixteen; one of under nine
# makes every line pass, which is slow but loses none), over the client's name, over what stands behind a point at
# least ("5 0 retries"). The rare levels come last, no repetition ever has to give back (*+), and of words only so much
# is read as no other INFO of the agent begins with.
_PASSED = (
    rb"\n[0-9](?s:.{18}+) (?!I(?s:.{20}+)[^ ]*+ (?:Version f|\[A(?s:.{29}+) 200 [0-9]{1,2}+[.](?s:.{10}+)[^\]]*+\] "
    rb"(?:%s)))(?! ?DEBUG| ?TRACE)"
)
_VERSION = b"Version file found in /opt/codedeploy-agent/.version with agent version "
_CALLS = {  # what tells them, and what they hold
    rb"pol": b"poll_host_command(",
    rb"get_d": b"get_deployment_specification(",
    rb"put_host_command_ack": b"put_host_command_acknowledgement(",
}
_END = {rb'put_host_command_complete\(command_status:"S': b'command_status:"Succeeded"'}


def giving_back(pattern: bytes) -> bytes:
    """The same pattern for Python 3.10, which does not know ``*+``."""
    return pattern.replace(b"*+", b"*").replace(b"}+", b"}")


def _gate(calls: Mapping[bytes, bytes]) -> Gate:
    pattern = _PASSED % b"|".join(calls)
    possessive = pattern if sys.version_info >= (3, 11) else giving_back(pattern)
    return Gate(re.compile(possessive), (_VERSION, *calls.values()))


# While an event has failed, its end is wanted: to let all ends through is sooner done than to look for them.
GATES = (_gate({**_CALLS, **_END}), _gate(_CALLS))

_STAMPED = re.compile(_STAMP)
_STAMP_LENGTH = 19

# What follows the stamp.
_HEADER = re.compile(
    rb" {1,2}(?P<level>" + _LEVEL + rb") +(?:(?P<old>\[[^\]()]*(?:\((?P<pid>\d{1,10})\))?\]: *)"
    rb"|deployment\{deployment_id=(?P<deployment>\S+) command=(?P<command>\S+) app=(?P<application>[^}]*)\}: )?"
)


def parse(first: bytes, rest: Sequence[bytes], source: Source, offset: int) -> Record | None:
    """One entry; None if the line is not the first of one."""
    content = _read(first[_STAMP_LENGTH:], tuple(rest)) if _STAMPED.match(first) else None
    if content is None:
        return None
    zone = source.zone if content.agent == "1.x" else timezone.utc
    at = epoch(first[:_STAMP_LENGTH].decode(), zone)
    agent, level, pid, message, deployment, revision, succeeded, report = content
    return Record("agent", message, source.path, offset, at, agent, level, pid, deployment, revision, succeeded, report)


class _Content(NamedTuple):
    """What an entry says, apart from when."""

    agent: str
    level: str
    pid: int | None
    message: str
    deployment: Deployment
    revision: str
    succeeded: str
    report: Report | None


@lru_cache(maxsize=512)  # an agent that fails says the same again and again
def _read(raw: bytes, rest: tuple[bytes, ...]) -> _Content | None:
    header = _HEADER.match(raw)
    if not header:
        return None
    level, old, pid, *span = header.groups(b"")
    id_, command, application = map(text, span) if span[0] else ("", "", "")
    message = continued(text(raw[header.end() :]), rest)
    report = decode(message) or (decode(message.replace("\n", "")) if "\n" in message else None)  # a wrapped paste
    shown = report.message if report else message
    deployment, revision = about(shown, report.identifier if report else "", id_, command)
    if application:
        deployment = replace(deployment, application=application)
    # A report of 1.x, or what 2.x says in the span of the command.
    well = report.succeeded if report else message.startswith("Command succeeded elapsed_ms=")
    return _Content(
        "1.x" if old else "2.x",
        level.decode(),
        int(pid) if pid else None,
        shown,
        deployment,
        revision,
        deployment.event if well else "",
        report,
    )


GRAMMAR = Grammar("agent", GATES, START, parse, gap)
