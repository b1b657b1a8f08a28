"""What the tests of probes share: a metadata service to start, a probe to ask, files to write."""

from __future__ import annotations

import codecs
import fcntl
import inspect
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agentdoctor import probes
from agentdoctor.asking import Asker
from agentdoctor.host import Host
from agentdoctor.model import Evidence
from agentdoctor.probes import Look, find

from .imds_server import Imds, Server
from .servers import Listener, Peer

# A busy machine must not turn what a probe says into "no answer within 2.0 s".
PATIENCE = 60.0
NOBODY = 65534


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a probe as long as it takes; its own limits still hold."""
    monkeypatch.setattr("agentdoctor.asking.PROBE_SECONDS", PATIENCE)


def ask(name: str, host: Host, /, **about: str) -> Evidence:
    """The evidence of one probe, asked the way the product asks."""
    return Asker(host, total_seconds=PATIENCE).ask(name, about)


def value(name: str, host: Host, /, **about: str) -> Mapping[str, Any]:
    """What a probe saw; the test fails with the reason if it could not look."""
    evidence = ask(name, host, **about)
    assert evidence.value is not None, evidence.reason
    return evidence.value


def write(root: Path, files: Mapping[str, str | None]) -> Host:
    """A copied tree with these files, by absolute path; None makes a directory."""
    for absolute, text in files.items():
        path = root / absolute.lstrip("/")
        (path if text is None else path.parent).mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)
    return Host(root=str(root), live=False)


Answers = Mapping[str, Mapping[str, Any] | None]


def seen_with(name: str, host: Host, answers: Answers) -> Mapping[str, Any]:
    """A probe's values, with what the probes that it asks have seen; those that read files look for themselves."""

    def answer(asked: str) -> Evidence:
        if asked in answers or find(asked).live:
            return Evidence(asked, "", answers.get(asked), "no answer")
        return ask(asked, host)

    return find(name).look(Look(host, {}, answer))


def live(root: Path, files: Mapping[str, str | None]) -> Host:
    write(root, files)
    return Host(root=str(root))


@pytest.fixture
def serve() -> Iterator[Callable[[Imds], Host]]:
    """Start a metadata service; gives the host that has it."""
    servers: list[Server] = []

    def start(imds: Imds, **options: Any) -> Host:
        servers.append(Server(imds))
        return Host(imds_endpoint=imds.endpoint, **options)

    yield start
    for server in servers:
        server.close()


Listen = Callable[[Peer], Peer]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Start a server that is no metadata service; its port is known then."""
    listeners: list[Listener] = []

    def start(peer: Peer) -> Peer:
        listeners.append(Listener(peer))
        return peer

    yield start
    for listener in listeners:
        listener.close()


Start = Callable[[dict[str, str]], int]


@pytest.fixture
def process() -> Iterator[Start]:
    """Start a process that waits, with exactly this environment; gives its pid."""
    started: list[subprocess.Popen[bytes]] = []

    def start(environment: dict[str, str]) -> int:
        started.append(subprocess.Popen(["/bin/sleep", "60"], env=environment))
        pid = started[-1].pid
        while not Path(f"/proc/{pid}/{'environ' if environment else 'cmdline'}").read_bytes():
            time.sleep(0.001)  # the kernel fills it in after the program has begun
        return pid

    yield start
    for each in started:
        each.kill()
        each.wait()


@pytest.fixture
def alone() -> Iterator[None]:
    """No other test, in no other process, starts look-alikes of the agent at the same time."""
    with open(__file__) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cases(table: Sequence[tuple[Any, ...]]) -> Callable[[Callable[..., None]], Any]:
    """Run a test once per row; the first column names the case, the others are its last arguments in order."""

    def rows(function: Callable[..., None]) -> Any:
        names = list(inspect.signature(function).parameters)[-(len(table[0]) - 1) :]
        values = [row[1:] if len(names) > 1 else row[1] for row in table]
        return pytest.mark.parametrize(names if len(names) > 1 else names[0], values, ids=[r[0] for r in table])(
            function
        )

    return rows


Command = Callable[[str, str], None]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Make a shell script the command of a name."""
    directory = tmp_path / "commands"
    directory.mkdir()

    def put(name: str, script: str) -> None:
        file = directory / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")

    return put


@pytest.fixture
def no_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without any command."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A directory, in a test that runs as nobody where it would run as root, who may read everything."""
    import psutil  # noqa: F401 - nobody may not be able to import it any more

    probes.names()  # nor these
    codecs.lookup("ascii")  # nor this; and that it is not to be had is remembered for good

    was_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        if was_root:
            os.chown(name, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        yield Path(name)
        if was_root:
            os.seteuid(0)


Start = Callable[..., int]


@pytest.fixture
def start(tmp_path: Path, alone: None) -> Iterator[Start]:
    """Start a process that waits under any command line; gives its pid. ``{pid}`` stands for that.

    ``cwd`` is where it stands, ``log`` a file that it has open for writing, ``port`` of this host what it is
    connected to.
    """
    started: list[subprocess.Popen[bytes]] = []
    for name in ("start", "worker"):  # with these in its directory Python can be called as 2.x is
        (tmp_path / name).write_text("print(flush=True)\ninput()\n")

    def run(*argv: str, cwd: Path = tmp_path, log: Path | None = None, port: int = 0) -> int:
        words = ['"' + word.replace("{pid}", "$$") + '"' for word in argv]
        rest = words[1:] or ["-c", "'print(flush=True); input()'"]
        opening = f"exec 9>>'{log}'; " if log else f"exec 9<>/dev/tcp/127.0.0.1/{port}; " if port else ""
        command = f"{opening}exec -a {words[0]} {sys.executable} {' '.join(rest)}"
        started.append(
            subprocess.Popen(["bash", "-c", command], cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        assert started[-1].stdout
        started[-1].stdout.readline()
        return started[-1].pid

    yield run
    for each in started:
        each.communicate(b"\n")


@pytest.fixture
def renamed(tmp_path: Path) -> tuple[str, Host]:
    """An agent with a name of its own, so that no other test's look-alikes are it."""
    name = f"agent-{uuid.uuid4().hex[:8]}"
    write(tmp_path / "root", {"/etc/codedeploy-agent/conf/codedeployagent.yml": f":program_name: {name}\n"})
    return name, Host(root=str(tmp_path / "root"))
