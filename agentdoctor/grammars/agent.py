"""The agent log: 1.x ``STAMP LEVEL [program(pid)]: text`` in local time, 2.x ``STAMP LEVEL text`` in UTC.

After an upgrade both stand in one file. Patterns: log.rb:30 for 1.x (a T in the stamp since 1.6.0, a blank
before), agent_logger.rs with tracing-subscriber's full format for 2.x.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timezone

from agentdoctor.grammars import Grammar, Source, continued, epoch, text
from agentdoctor.grammars.report import about, decode
from agentdoctor.model import Deployment, Record

_STAMP = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
_LEVEL = rb"(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL|UNKNOWN)"

START = re.compile(rb"\n" + _STAMP + rb" {1,2}" + _LEVEL + rb" ")

# What an idle or deploying agent writes all the time, and what nobody asks for: version notes, and calls that
# AWS answered with 200 unless they report a failed event.
GATE = re.compile(
    rb"\n\d.{18} (?! ?DEBUG| ?TRACE|INFO  \[[^\]]*\]: (?:Version file found|\[Aws::CodeDeployCommand::Client 200 "
    rb'[\d.]+ \d+ retries\] (?:poll_host|get_deployment|put_host_command_(?:ack|complete\(command_status:"S))))'
)

_HEADER = re.compile(
    rb"(?P<stamp>" + _STAMP + rb") {1,2}(?P<level>" + _LEVEL + rb") +"
    rb"(?:(?P<old>\[(?P<program>[^\]()]*)(?:\((?P<pid>\d+)\))?\]: *)"
    rb"|deployment\{deployment_id=(?P<deployment>\S+) command=(?P<command>\S+) app=[^}]*\}: )?(?P<message>.*)",
    re.DOTALL,
)


def parse(first: bytes, rest: Sequence[bytes], source: Source) -> Record | None:
    """One entry; None if the line is not the first of one."""
    header = _HEADER.match(first)
    if not header:
        return None
    old = header["old"] is not None
    message = continued(text(header["message"]), rest)
    report = decode(message)
    span = Deployment(id=_part(header, "deployment"), event=_part(header, "command"))
    deployment, revision = about(report.message if report else message, report.identifier if report else "", span)
    return Record(
        log="agent",
        message=report.message if report else message,
        path=source.path,
        at=epoch(_part(header, "stamp"), source.zone if old else timezone.utc),
        agent="1.x" if old else "2.x",
        level=_part(header, "level"),
        pid=int(header["pid"]) if header["pid"] else None,
        deployment=deployment,
        revision=revision,
        succeeded=_succeeded(message, deployment, succeeded=bool(report and report.succeeded)),
        report=report,
    )


def _part(header: re.Match[bytes], name: str) -> str:
    return (header[name] or b"").decode("ascii", "replace")


def _succeeded(message: str, deployment: Deployment, succeeded: bool) -> str:
    """The lifecycle event that ended well: a report of 1.x, ``Command succeeded`` in the span of 2.x."""
    return deployment.event if succeeded or message.startswith("Command succeeded elapsed_ms=") else ""


GRAMMAR = Grammar("agent", GATE, START, parse)
