"""Children behind a socket, as systemd starts them: the same answers, and nothing lost when nobody is there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sinks.conftest import wait
from sinks.test_sending import DIES, ECHO, HANGS

from agentdoctor.child import SOCKETS
from agentdoctor.model import Outcome
from agentdoctor.probing import Prober
from agentdoctor.sinks.sending import Reply, Sender
from conftest import TOP

PROBES = "from agentdoctor import probing; probing.main()"
REFUSED = "max_revisions is 'many' and must be a whole number from 1"
CONFIG = "etc/codedeploy-agent/conf/codedeployagent.yml"


class Activated:
    """What systemd does with Accept=yes: each connection gets a process, whose input and output it is."""

    def __init__(self, path: Path, code: str) -> None:
        self.children: list[subprocess.Popen[bytes]] = []
        self._command = [sys.executable, "-c", code]
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._socket.accept()
                with line:
                    self.children.append(subprocess.Popen(self._command, stdin=line, stdout=line, cwd=TOP))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        for child in self.children:
            child.kill()
            child.wait()


@pytest.fixture
def activated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Activated]]:
    """Let a name be answered by this program; the unit says where the sockets are."""
    monkeypatch.setenv(SOCKETS, str(tmp_path))
    made: list[Activated] = []

    def make(name: str, code: str) -> Activated:
        made.append(Activated(tmp_path / name, code))
        return made[-1]

    yield make
    for one in made:
        one.close()


@contextmanager
def sender() -> Iterator[Sender]:
    """A sender; it is closed at the end."""
    made = Sender()
    yield made
    made.close(0.0)


def test_letters_arrive_whole_and_in_order(activated: Callable[[str, str], Activated]) -> None:
    """Also when together they are more than a socket holds, and one child has them all."""
    systemd = activated("send", ECHO)
    with sender() as ours:
        for n in range(20):
            ours.submit({"key": f"k{n}", "params": "x" * 250_000})

        assert wait(ours, 20) == [Reply(f"k{n}", "m") for n in range(20)]
        assert (len(systemd.children), ours.pid) == (1, None)


@pytest.mark.parametrize("code", [DIES, HANGS], ids=["by itself", "by the kernel"])
def test_a_child_that_dies_loses_nothing(activated: Callable[[str, str], Activated], code: str) -> None:
    """Its letters are to be sent again, and the next has another child."""
    systemd = activated("send", code)
    with sender() as ours:
        ours.submit({"key": "k0", "params": "x" * 250_000})
        ours.submit({"key": "k1"})
        while not systemd.children:
            ours.answers()
        if code == HANGS:
            systemd.children[0].send_signal(signal.SIGKILL)

        lost = [Reply(key, error="SenderLost", kind="retry", text="the sender ended") for key in ("k0", "k1")]
        assert wait(ours, 2) == lost
        ours.submit({"key": "k2"})
        while len(systemd.children) < 2:
            ours.answers()


def test_who_is_left_ends(activated: Callable[[str, str], Activated]) -> None:
    """Nobody kills it: the end of its input is its own, without a complaint."""
    systemd = activated("send", "from agentdoctor.sinks import sns; sns.main()")
    with sender() as ours:
        ours.submit({"key": "k0"})
        (answer,) = wait(ours)

    assert answer.error == "BadRequest"
    assert systemd.children[0].wait(60) == 0


@pytest.mark.parametrize("there", [True, False], ids=["a socket that nobody serves", "no socket"])
def test_nobody_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    """That is said; none is started instead, which could not reach SNS from where the service is."""
    monkeypatch.setenv(SOCKETS, str(tmp_path))
    if there:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "send"))
    with sender() as ours:
        ours.submit({"key": "k0"})

        assert [(answer.error, answer.kind) for answer in ours.answers()] == [("SenderNotStarted", "retry")]


@pytest.fixture
def prober(tmp_path: Path) -> Iterator[Prober]:
    """One for a copied tree."""
    (tmp_path / CONFIG).parent.mkdir(parents=True)
    (tmp_path / CONFIG).write_text("---\n:max_revisions: many\n")
    made = Prober(str(tmp_path), "http://127.0.0.1:1")
    yield made
    made.close()


def asked(prober: Prober) -> object:
    """What a new look says of the configuration."""
    prober.look()
    evidence = prober.ask("config.agent")
    return evidence.value["problem"] if evidence.value else (evidence.outcome, evidence.reason)


def test_probes_behind_a_socket(activated: Callable[[str, str], Activated], prober: Prober) -> None:
    """Look after look from one process; where it was killed in between, from the next."""
    systemd = activated("probe", PROBES)

    assert [asked(prober), asked(prober)] == [REFUSED] * 2
    assert len(systemd.children) == 1
    systemd.children[0].kill()
    systemd.children[0].wait()
    assert asked(prober) == REFUSED
    assert len(systemd.children) == 2


def test_probes_of_our_own(prober: Prober, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a socket in the unit the process is ours."""
    monkeypatch.delenv(SOCKETS, raising=False)

    assert asked(prober) == REFUSED


def test_no_probes(prober: Prober, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody looked at is unknown."""
    monkeypatch.setenv(SOCKETS, str(tmp_path))

    assert asked(prober) == (Outcome.UNKNOWN, "the process that looks did not answer")


def test_nothing_stays_open(activated: Callable[[str, str], Activated], prober: Prober) -> None:
    """Calling and hanging up twenty times takes no descriptor."""
    activated("send", ECHO)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with sender() as ours:
            ours.submit({"key": "k"})
            wait(ours)

    assert len(os.listdir("/proc/self/fd")) == before
