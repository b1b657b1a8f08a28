"""Probes in a process of their own: what hangs there is killed, what they load goes with them.

The service asks; ``python -m agentdoctor.probing`` answers, JSON lines both ways. It lives for a while after the last
question, because one failure is seldom alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from agentdoctor import record
from agentdoctor.child import Child
from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import find

LOOK_SECONDS = 4.5  # what all probes of one look may take together
SLACK_SECONDS = 2.0  # to start the process, on a host that has no time
KILL_SECONDS = 1.0
IDLE_SECONDS = 60.0


class Prober:
    """Asks the probes of a host, each once in a look. ``ask`` never raises for what the host does, nor hangs."""

    def __init__(self, root: str, imds_endpoint: str, network: bool = True) -> None:
        self._where = (root, imds_endpoint)
        self._network = network
        self._child: Child | None = None
        self._unread = b""
        self._deadline = 0.0
        self._used = 0.0
        self._answers: dict[record.Key, Evidence] = {}

    def look(self, names: Iterable[str] = (), seconds: float = LOOK_SECONDS) -> None:
        """Begin a new look: what was answered before counts no more. ``names``: probes that may begin at once."""
        self._answers.clear()
        self._deadline = time.monotonic() + seconds + SLACK_SECONDS
        if self._child is None or self._child.read() is not None:  # between two looks it says nothing, but at its end
            self.close()
            self._child = _begun()
        look = {"seconds": seconds, "network": self._network, "start": sorted(names)}
        self._send({"root": self._where[0], "imds_endpoint": self._where[1], **look})

    def ask(self, name: str, about: Mapping[str, str] | None = None) -> Evidence:
        """The evidence of one probe, in this look."""
        probe = find(name)
        known = {key: value for key, value in (about or {}).items() if key in (*probe.about, *probe.also) and value}
        key = record.key(name, known)
        if key not in self._answers:
            self._answers[key] = self._asked(name, known) or Evidence(
                name, probe.source, None, "the process that looks did not answer", Outcome.UNKNOWN
            )
        return self._answers[key]

    def rest(self) -> None:
        """End the process when nobody has asked for a while."""
        if self._child is not None and time.monotonic() - self._used > IDLE_SECONDS:
            self.close()

    def close(self) -> None:
        """End the process."""
        if self._child is None:
            return
        self._child.hang_up()
        self._child.kill(KILL_SECONDS)
        self._child, self._unread = None, b""

    def _asked(self, name: str, about: Mapping[str, str]) -> Evidence | None:
        if not self._send({"ask": name, "about": about}):
            return None
        line = self._line()
        if line is None:
            self.close()  # nor is anything else of this look to be had from it
            return None
        return _evidence(line)

    def _send(self, message: Mapping[str, Any]) -> bool:
        self._used = time.monotonic()
        if self._child is None:
            return False
        line = json.dumps(message).encode() + b"\n"
        if self._child.write(line) < len(line):  # it reads no more, or was never there
            self.close()
            return False
        return True

    def _line(self) -> bytes | None:
        """One answer; None when the time is over or the process is gone."""
        assert self._child is not None
        while b"\n" not in self._unread:
            left = self._deadline - time.monotonic()
            ready, _, _ = select.select([self._child], [], [], max(0.0, left))
            part = self._child.read() if ready else b""
            if not part:
                return None
            self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        return line


def _begun() -> Child | None:
    try:
        return Child.begin("probe", (sys.executable, "-m", "agentdoctor.probing"))
    except OSError:  # no memory for a process, or nobody at the socket
        return None


def _evidence(line: bytes) -> Evidence | None:
    try:
        fields = json.loads(line)
        return Evidence(**{**fields, "outcome": Outcome(fields["outcome"])})
    except (ValueError, TypeError, KeyError):
        return None


def main() -> None:
    """Answer questions from standard input until it ends."""
    from agentdoctor.asking import Asker

    asker: Asker | None = None
    for line in sys.stdin:
        message = json.loads(line)
        if "ask" not in message:
            host = Host.at(message["root"], message["imds_endpoint"])
            asker = Asker(host, message["seconds"], message["network"])
            asker.start(message["start"])
        elif asker is not None:
            print(json.dumps(_fields(asker.ask(message["ask"], message["about"])), default=str), flush=True)


def _fields(evidence: Evidence) -> dict[str, Any]:
    value = dict(evidence.value) if evidence.value is not None else None
    return {
        "probe": evidence.probe,
        "source": evidence.source,
        "value": value,
        "reason": evidence.reason,
        "outcome": evidence.outcome.value,
        "duration_ms": evidence.duration_ms,
    }


if __name__ == "__main__":
    with contextlib.suppress(ConnectionError):  # who asked is gone
        main()
    os._exit(0)  # a probe that hangs must not keep the process
