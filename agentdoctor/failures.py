"""How the agent says that a lifecycle event failed, and that it says so twice."""

from __future__ import annotations

import re

from agentdoctor.meanings import same_occurrence
from agentdoctor.model import Record

# 1.x reports a failed event and then logs an error; 2.x logs it in the span of the command and then without.
_PERFORM = "Error during perform: "
_FAILED_2X, _FAILED_AGAIN_2X = "Command failed elapsed_ms=", "Command processing failed: "
# Old agents say the same when a poll fails; what was raised tells.
_IN_EVENT = re.compile(
    _PERFORM + r"(?!Aws::|Seahorse::|Net::|Socket|OpenSSL::|EOFError|Timeout|Errno::E(?:CONN|HOST|NET|TIMEDOUT|PIPE))"
)


def failed_event(record: Record) -> bool:
    """Whether the agent says that a lifecycle event failed: a report of 1.x, an ERROR in the span of 2.x."""
    if record.report:
        return not record.report.succeeded
    if record.log != "agent" or record.level != "ERROR":
        return False
    if record.agent == "2.x":
        return record.message.startswith((_FAILED_2X, _FAILED_AGAIN_2X))
    return bool(_IN_EVENT.search(record.message))


class Told:
    """Keeps the last report of a failure, to know the error that only repeats it."""

    def __init__(self) -> None:
        self._last: Record | None = None

    def before(self, record: Record) -> Record | None:
        """The report of the same failure just before this error, which says no more; None if it is news."""
        if (record.report and not record.report.succeeded) or record.message.startswith(_FAILED_2X):
            self._last = record
            return None
        last = self._last
        if last is None or not _repeats(record.message, last.message) or not same_occurrence(last, record):
            return None
        return last


def _repeats(message: str, told: str) -> bool:
    """Whether an error may be what was told before."""
    if message.startswith(_FAILED_AGAIN_2X):
        return message.removeprefix(_FAILED_AGAIN_2X) in told
    return _PERFORM in message
