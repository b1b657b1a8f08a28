"""The journal as journalctl prints it: ``Mon DD HH:MM:SS host speaker[pid]: text``, or with an ISO stamp."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta, timezone

from agentdoctor.grammars import EVERY_LINE, Grammar, Source, continued, epoch, text
from agentdoctor.model import Record

_STAMP = rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:?\d\d|Z)?)"
_SPEAKER = rb"[\w.@-]+ [\w./@()-]+(?:\[\d+\])?: "
START = re.compile(rb"\n" + _STAMP + rb" " + _SPEAKER)
_HEADER = re.compile(
    rb"(?P<stamp>" + _STAMP + rb") [\w.@-]+ (?P<speaker>[\w./@()-]+?)(?:\[(?P<pid>\d{1,10})\])?: (?P<message>.*)",
    re.DOTALL,
)


def parse(first: bytes, rest: Sequence[bytes], source: Source, offset: int) -> Record | None:
    """One entry. Lines without a header belong to what stands around a journal: systemctl status, a paste."""
    header = _HEADER.match(first)
    if not header:
        return Record(log="journal", message=continued(text(first), rest), path=source.path, offset=offset)
    message = text(header["message"]).replace("#011", "\t").replace("#012", "\n").replace("#015", "\r")
    return Record(
        log="journal",
        message=continued(message, rest),
        path=source.path,
        offset=offset,
        at=_at(text(header["stamp"]), source),
        pid=int(header["pid"]) if header["pid"] else None,
    )


_ISO = re.compile(
    r"(?P<local>[^Z+]+?)(?:(?P<utc>Z)|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3]):?(?P<minutes>[0-5]\d))?", re.ASCII
)


def _at(stamp: str, source: Source) -> float | None:
    """The classic stamp has no year, so it has no place in time by itself."""
    if not stamp[0].isdigit():
        return None
    found = _ISO.fullmatch(stamp)
    if not found:
        return None
    if not found["sign"]:
        return epoch(found["local"], timezone.utc if found["utc"] else source.zone)
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    return epoch(found["local"], timezone(-offset if found["sign"] == "-" else offset))


GRAMMAR = Grammar("journal", (EVERY_LINE,), START, parse)
