"""What the tests of probes share: a metadata service to start, a probe to ask, files to write."""

from __future__ import annotations

import fcntl
import inspect
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.asking import Asker
from agentdoctor.host import Host
from agentdoctor.model import Evidence

from .imds_server import Imds, Server

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

    was_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        if was_root:
            os.chown(name, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        yield Path(name)
        if was_root:
            os.seteuid(0)
