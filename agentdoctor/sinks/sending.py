"""The service's side of the child that speaks to AWS: begins it, gives it letters, and never waits for it."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from agentdoctor.child import Child

ANSWER_SECONDS = 30.0  # for one letter: two tries of 8 s, names and credentials before them, and the start of Python
IDLE_SECONDS = 60.0  # then the child ends, and its 30 to 40 MB are free again
LEAVE_SECONDS = 5.0  # to end after its input has; then it is killed
_ANSWER_LIMIT = 1 << 20  # bytes without a line break; no answer has a hundredth of it


class Reply(NamedTuple):
    """What became of a request. ``error`` is "" when it was done; ``kind`` is then too."""

    key: str
    message_id: str = ""
    kind: str = ""  # retry, hold, poison
    error: str = ""
    text: str = ""
    more: Mapping[str, Any] = {}  # what else the child said, for requests other than to publish


class Sender:
    """At most one child, begun by the first letter. No call waits; while ``busy``, ask for ``answers`` each second."""

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-m", "agentdoctor.sinks.sns"),
        answer_seconds: float = ANSWER_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._answer_seconds, self._idle_seconds, self._clock = answer_seconds, idle_seconds, clock
        self._child: Child | None = None
        self._leaving: list[tuple[Child, float]] = []  # and when they are killed
        self._in_flight: deque[str] = deque()  # keys, in the order of their answers
        self._since = 0.0  # when the first of them became the first, or when the last was answered
        self._unwritten = bytearray()
        self._unread = bytearray()
        self._lost: list[Reply] = []  # of letters that a child took with it

    def submit(self, request: Mapping[str, Any]) -> None:
        """Give a request ``{key, topic_arn, endpoint_url, params}`` to the child. Its answer comes by ``answers``."""
        if self._child is None and not self._start():
            self._lost.append(_retry(str(request["key"]), "SenderNotStarted", "no process could be started"))
            return
        if not self._in_flight:
            self._since = self._clock()
        self._in_flight.append(str(request["key"]))
        self._unwritten += json.dumps(request).encode() + b"\n"
        self._write()

    def answers(self) -> list[Reply]:
        """What was answered since, in order. A child that died, hangs or talks nonsense: ``retry`` for what it had."""
        found = []
        if self._child is not None:
            self._write()
            open_ = self._read(self._child)
            found = self._complete()
            self._judge(open_)
        self._reap()
        found, self._lost = found + self._lost, []
        return found

    def fileno(self) -> int:
        """What becomes readable when there is an answer; -1 while there is no child. It changes with the child."""
        return self._child.fileno() if self._child else -1

    @property
    def busy(self) -> bool:
        """Whether a letter is on its way, or a child on its way out."""
        return bool(self._in_flight or self._leaving)

    @property
    def pid(self) -> int | None:
        """Of a child that we started, for those who count memory."""
        return self._child.process.pid if self._child and self._child.process else None

    def close(self, seconds: float = 1.0) -> list[Reply]:
        """End the child within so many seconds. The last answers: what is on its way may still get its receipt."""
        found = self.answers()
        end = self._clock() + seconds
        while self._child is not None and self._in_flight and self._clock() < end:
            _wait(self.fileno(), end - self._clock())
            found += self.answers()
        self._drop("the service stops")
        found += self._lost
        self._lost = []
        for child, _ in self._leaving:
            child.kill(1.0)
        self._leaving.clear()
        return found

    def _start(self) -> bool:
        try:
            self._child = Child.begin("send", self._command)
        except OSError:  # no memory, no process left, nobody at the socket: all may pass
            return False
        return True

    def _write(self) -> None:
        """As much as the child takes."""
        if self._unwritten and self._child is not None:
            del self._unwritten[: self._child.write(self._unwritten)]

    def _read(self, child: Child) -> bool:
        """What the child has said. False when it will say no more."""
        while (data := child.read()) is not None:
            self._unread += data
            if not data:
                return False
            if len(self._unread) > _ANSWER_LIMIT:
                break
        return True

    def _complete(self) -> list[Reply]:
        """The whole lines of it, as answers. It stops before the first that is none."""
        found = []
        while (end := self._unread.find(b"\n")) >= 0:
            answer = _parsed(self._unread[:end])
            if answer is None or not self._in_flight or answer.key != self._in_flight[0]:
                break
            del self._unread[: end + 1]
            self._in_flight.popleft()
            self._since = self._clock()
            found.append(answer)
        return found

    def _judge(self, open_: bool) -> None:
        """Part with a child that is dead, hangs, talks nonsense or has had nothing to do for long."""
        waited = self._clock() - self._since
        if not open_:
            self._drop("the sender ended")
        elif b"\n" in self._unread or len(self._unread) > _ANSWER_LIMIT:
            self._drop("the sender answered nonsense")
        elif self._in_flight and waited > self._answer_seconds:
            self._drop(f"no answer within {self._answer_seconds:g} s")
        elif not self._in_flight and waited > self._idle_seconds:
            self._drop("")

    def _drop(self, why: str) -> None:
        """Part with the child; it is killed unless it was only idle."""
        child, self._child = self._child, None
        if child is None:
            return
        self._lost += [_retry(key, "SenderLost", why) for key in self._in_flight]
        self._in_flight.clear()
        self._unwritten.clear()
        self._unread.clear()
        child.hang_up()
        if why:
            child.kill()
        self._leaving.append((child, self._clock() + LEAVE_SECONDS))

    def _reap(self) -> None:
        """Take leave of children that ended, and kill those that do not."""
        for child, end in list(self._leaving):
            if child.ended:
                self._leaving.remove((child, end))
            elif self._clock() > end:
                child.kill()


def _retry(key: str, error: str, text: str) -> Reply:
    return Reply(key, error=error, kind="retry", text=text)


def _parsed(line: bytes | bytearray) -> Reply | None:
    """An answer, or None for what is none: without a receipt and without an error nothing was promised."""
    try:
        values = dict(json.loads(line))
        key, message_id, kind, error, text = (values.pop(name, "") for name in Reply._fields[:-1])
    except (ValueError, TypeError, RecursionError):
        return None
    answer = Reply(key, message_id, kind, error, text, values)
    texts = all(isinstance(value, str) for value in answer[:-1])
    known = answer.kind in (("retry", "hold", "poison") if answer.error else ("",))
    return answer if texts and known and (answer.error or answer.message_id or answer.more) else None


def _wait(descriptor: int, seconds: float) -> None:
    import select

    poll = select.poll()  # select(2) takes no descriptor above 1023
    poll.register(descriptor, select.POLLIN)
    poll.poll(max(0.0, seconds) * 1000)
