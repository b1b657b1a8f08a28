"""The journal of the agent's unit: what the agent or systemd said where no log file holds it."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from datetime import datetime, timezone

from agentdoctor.grammars import Source
from agentdoctor.grammars.journal import GRAMMAR
from agentdoctor.logs import NotALog, open_log, read_as
from agentdoctor.model import Record

UNIT = "codedeploy-agent.service"
LIMIT = 5000  # newest entries; an agent writes a handful per start


def read(since: float, path: str | None = None) -> Iterator[Record]:
    """The unit's entries from ``since`` (seconds since the epoch) on, oldest first. NotALog when it cannot be read.

    ``path``: a directory of journal files instead of this host's.
    """
    try:
        from systemd import journal
    except ImportError:
        raise NotALog("was not read: the Python package systemd-python is not installed") from None
    if path is None and not _readable():
        raise NotALog("was not read: only root and the group systemd-journal may")
    with journal.Reader(path=path) if path else journal.Reader() as reader:
        reader.add_match(_SYSTEMD_UNIT=UNIT)
        reader.add_disjunction()
        reader.add_match(UNIT=UNIT, _PID="1")  # what systemd says about the unit
        reader.seek_realtime(float(since))  # a whole number would be microseconds
        for _, entry in zip(range(LIMIT), reader, strict=False):
            yield _record(entry)


def line(record: Record) -> str:
    """An entry as journalctl prints it with full stamps, one line each: ``written`` makes the same record of it."""
    at = datetime.fromtimestamp(record.at or 0.0, timezone.utc).isoformat(timespec="microseconds")
    pid = "" if record.pid is None else f"[{record.pid}]"
    message = record.message.replace("\t", "#011").replace("\n", "#012").replace("\r", "#015")
    return f"{at} host {'systemd' if record.pid == 1 else 'codedeploy-agent'}{pid}: {message}"


def written(path: str) -> Iterator[Record]:
    """The entries of a file of such lines, oldest first. OSError when it cannot be read."""
    with open_log(path) as stream:
        yield from read_as(GRAMMAR, stream, Source("journal", timezone.utc), tuple)


def _record(entry: dict[str, object]) -> Record:
    message, stamp, pid = entry.get("MESSAGE", ""), entry.get("__REALTIME_TIMESTAMP"), entry.get("_PID")
    return Record(
        log="journal",
        message=message if isinstance(message, str) else repr(message),  # bytes that are no text
        path="journal",
        at=stamp.timestamp() if hasattr(stamp, "timestamp") else None,
        pid=pid if isinstance(pid, int) else None,
    )


def _readable() -> bool:
    """Whether the system's journal may be read; without this it looks empty to others, which is not healthy."""
    files = [name for top in ("/var/log/journal", "/run/log/journal") for name in glob.glob(f"{top}/*/system.journal")]
    return os.geteuid() == 0 or not files or any(os.access(name, os.R_OK) for name in files)
