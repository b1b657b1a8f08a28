"""The process of the service: start, signals, the loop, and what the service manager is told."""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import select
import signal
import sys
import time
from typing import NoReturn

from agentdoctor import patterns, systemd
from agentdoctor import rules as catalogue
from agentdoctor.clock import Clock
from agentdoctor.pulse import feel
from agentdoctor.service import Service
from agentdoctor.settings import Settings, SettingsError
from agentdoctor.sinks.topic import Topic
from agentdoctor.store import InUse, Store
from agentdoctor.systemd import say

# Between two looks at the logs that nothing woke: without any event a line is seen within 1.5 s.
POLL_SECONDS = 1.4
REST_SECONDS = 0.02  # after one that something woke: a burst is read in parts that are worth it
_ENDS = (signal.SIGTERM, signal.SIGINT)
COULD_NOT_TELL = 3
TRIES, TRY_SECONDS = 5, 1.0  # at a state that cannot be read


class Stopped(BaseException):
    """Somebody wants the process to end. It may come at any moment: what is not stored yet will be read again."""


class Wake:
    """An event that can be waited for together with files, and set by the handler of a signal."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def set(self) -> None:
        """Wake who waits."""
        os.eventfd_write(self._descriptor, 1)

    def wait(self, others: list[int], seconds: float) -> bool:
        """Wait until it is set, or one of the other files has something to say; False when the time was over first."""
        ready, _, _ = select.select([self._descriptor, *others], [], [], seconds)
        if self._descriptor in ready:
            os.eventfd_read(self._descriptor)
        return bool(ready)


def become(path: str | None, settings: Settings) -> NoReturn:
    """Turn this process into the service. A new program, so that nothing stays of what only reading settings takes."""
    values = json.dumps({**dataclasses.asdict(settings), "rules_dir": os.path.abspath(settings.rules_dir)})
    config = os.path.abspath(path) if path else ""
    os.chdir("/")  # the service holds no directory of whoever started it, and imports nothing from there
    os.execv(sys.executable, [sys.executable, "-m", "agentdoctor.daemon", config, values])  # noqa: S606


def main(config: str, values: str) -> int:
    """Run the service until it is stopped: the exit code."""
    fields = json.loads(values)
    settings = Settings(**{**fields, "topic": Topic(*fields["topic"]) if fields["topic"] else None})
    clock = Clock()
    try:
        store = _store(settings.state_dir, clock)
    except InUse as error:
        say(3, str(error))
        return COULD_NOT_TELL
    _say_who_died(settings.state_dir)
    return Loop(config or None, settings, store, clock).run()


def _store(state_dir: str, clock: Clock) -> Store:
    """The state. A disk that gives nothing yet is asked again: who begins with nothing forgets what is open."""
    for _ in range(TRIES):
        store = Store.open(state_dir, clock=lambda: clock.read().steady)
        if store.trouble is None or store.state["facts"]:
            return store
        store.close()
        time.sleep(TRY_SECONDS)
    return Store.open(state_dir, clock=lambda: clock.read().steady)


def _say_who_died(state_dir: str) -> None:
    """An orderly end takes its pulse away."""
    last = feel(state_dir)
    if last is not None and last.get("pid") != os.getpid():
        ago = max(0.0, time.time() - float(last.get("at", 0.0)))
        say(4, f"process {last.get('pid')} ended without a word, {ago:.0f} s after its last sign of life")


class Loop:
    """Turn after turn, until somebody stops it. ``path``: of the settings, which SIGHUP reads again."""

    def __init__(self, path: str | None, settings: Settings, store: Store, clock: Clock) -> None:
        self._path = path
        self._wake = Wake()
        self._reload = False
        self._watchdog = (systemd.watchdog_seconds() or 0.0) / 4
        self._pinged = 0.0
        self._service = Service(settings, catalogue.load(settings.rules_dir), store, clock)

    def run(self) -> int:
        """Until SIGTERM or SIGINT."""
        signal.signal(signal.SIGHUP, self._on_reload)
        for number in _ENDS:
            signal.signal(number, _stop)
        try:
            self._service.turn()
            systemd.notify("READY=1", self._service.status())
            patterns.compile_all()  # in a burst it would be a tenth of the time
            gc.freeze()  # rules and code stay as long as the process: nobody need look for garbage in them
            gc.set_threshold(20_000, 20, 20)
            while True:
                self._turn()
        except Stopped:
            systemd.notify("STOPPING=1")
        finally:
            self._service.close()
        return 0

    def _turn(self) -> None:
        woken = False
        if not self._service.more:
            woken = self._wake.wait(self._service.descriptors(), POLL_SECONDS)
            if self._reload:
                self._again()
        began = time.monotonic()
        self._service.turn(woken)
        if self._watchdog and began - self._pinged >= self._watchdog:
            self._pinged = began
            systemd.notify("WATCHDOG=1", self._service.status())
        if woken and not self._service.more:
            time.sleep(REST_SECONDS)

    def _on_reload(self, *_: object) -> None:
        self._reload = True
        self._wake.set()

    def _again(self) -> None:
        """Begin anew with new settings and rules. Settings that cannot be used leave the old ones in force."""
        from agentdoctor.settings import load

        self._reload = False
        try:
            settings = load(self._path)
        except SettingsError as error:
            say(3, f"the old settings stay in force: {error}")
            return
        say(5, "settings and rules are read again")
        systemd.reloading()
        self._service.close(ends=False)
        become(self._path, settings)


def _stop(*_: object) -> None:
    for number in _ENDS:  # once is enough
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
