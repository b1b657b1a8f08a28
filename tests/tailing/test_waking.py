"""File events get lost in many ways. R7: in each of them lines arrive by looking, and it is said how events stand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import troubles
from .troubles import ALL, NONE, Host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.waking.stop()
    host.reading.tailer.close()


# trouble -> how it is put in words, and whether events are heard afterwards
TROUBLES: dict[troubles.Trouble, tuple[str, bool]] = {
    troubles.nothing: (f"{ALL}, not proved yet", True),
    troubles.no_watchdog: ("polling only: watchdog cannot be loaded", False),
    troubles.another_watchdog: ("polling only: watchdog cannot be loaded", False),
    troubles.more_events_than_the_kernel_keeps: (ALL, True),
    troubles.descriptor_spoiled: (ALL, True),
    troubles.directory_made_anew: (ALL, True),
    troubles.directory_made_anew_between_turns: (ALL, True),
    troubles.directory_replaced: (ALL, True),
    troubles.directory_comes_late: (ALL, True),
    troubles.directory_is_a_link: (ALL, True),
    troubles.directory_readable_later: (ALL, True),
    troubles.anybody_writes_there: (NONE, False),
    troubles.no_room_for_a_watch: (f"{NONE}, not proved yet; ", False),
    troubles.room_for_a_watch_later: (ALL, True),
    troubles.deaf: ("polling only: a change in our own directory was not told", False),
    troubles.deaf_once: (ALL, True),
    troubles.no_room_for_the_canary: (f"{ALL}, not proved yet", True),
}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__.replace("_", " "))
def test_r7_lines_arrive_by_looking(host: Host, monkeypatch: pytest.MonkeyPatch, trouble: troubles.Trouble) -> None:
    """One look after the trouble the line is there, whatever became of events."""
    words, heard = TROUBLES[trouble]
    trouble(host, monkeypatch)
    last = host.write()
    host.turn()

    assert host.reading.lines[-1] == last
    assert len(host.reading.lines) == host.count
    assert host.waking.state.startswith(words)
    assert host.wakes() == heard


@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
def test_r7_limits_of_the_kernel(tmp_path: Path, limit: str) -> None:
    """The same with nothing left to watch with, in a user namespace that has its own limits."""
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-m", "tests.tailing.limited", limit]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip(f"no user namespace: {done.stderr.strip()}")

    assert done.stderr == ""
    state, lines = done.stdout.splitlines()
    assert state.startswith(("polling only: inotify does not start", NONE))
    assert "limit reached" in state
    assert lines == "[b'line 1\\n', b'line 2\\n']"


def test_a_canary_proves_that_events_arrive(host: Host) -> None:
    """One each minute; one that was heard makes up for an earlier restart."""
    host.waking.start()
    for _ in range(3):
        host.prove()
        assert host.waking.state == ALL


def test_reading_does_not_wake(host: Host) -> None:
    """Else each look at a log would cause the next one."""
    host.waking.start()
    assert host.wakes()
    host.hear_all()
    (host.directory / "app.log").read_bytes()
    os.listdir(host.directory)
    host.reading.poll()

    assert not host.is_woken()


def test_other_directories(host: Host) -> None:
    """They come with deployments and go with them."""
    host.waking.start()
    host.waking.watch([])
    assert host.waking.state == "file events from 0 of 0 directories, not proved yet"
    host.waking.watch([str(host.directory)])
    assert host.wakes()
    host.waking.stop()
    assert host.waking.state == "polling only: stopped"
    host.turn()
