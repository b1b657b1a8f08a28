"""What several tests need: the rules, a scan of text, the command line as a process, the collected cases."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentdoctor import grammars
from agentdoctor import rules as catalogue
from agentdoctor.doctor import Doctor
from agentdoctor.grammars import Source
from agentdoctor.logs import read
from agentdoctor.model import Finding, Record, Rule

TOP = Path(__file__).parent.parent
CORPUS = Path(__file__).parent / "corpus"
SHARED = TOP.parent / "shared"


@pytest.fixture(scope="session")
def rules() -> tuple[Rule, ...]:
    """The shipped rules."""
    return catalogue.load().rules


@pytest.fixture
def scan(rules: tuple[Rule, ...]) -> Callable[..., dict[str, Finding]]:
    """Findings of a text by id, with no host to ask."""

    def run(text: str | bytes, now: float = 0.0) -> dict[str, Finding]:
        doctor = Doctor(rules)
        raw = text.encode() if isinstance(text, str) else text
        for record in read(io.BytesIO(raw), Source("test.log"), doctor.wanted):
            doctor.observe(record)
        return {finding.rule.id: finding for finding in doctor.findings(now)}

    return run


def records(text: str | bytes) -> list[Record]:
    """The records of a text, read as a file is."""
    raw = text.encode() if isinstance(text, str) else text
    return list(read(io.BytesIO(raw), Source("test.log"), tuple))


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the local time zone, for one test: no process is to see another, so that hours of the last are forgotten."""

    def forget() -> None:
        time.tzset()
        grammars._hour.cache_clear()

    def change(name: str) -> None:
        patch.setenv("TZ", name)
        forget()

    with monkeypatch.context() as patch:
        yield change
    forget()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: for tests of a thousand commits, which take their time on a disk."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else tmp_path) as name:
        yield Path(name)


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as a process of its own, with settings that keep it away from this machine's."""

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(TOP), "NO_COLOR": "1", "TZ": "UTC"}
        environment.update(options.pop("env", {}))  # type: ignore[call-overload]
        return subprocess.run(
            [sys.executable, "-m", "agentdoctor", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            timeout=60,
            check=False,
            **options,  # type: ignore[call-overload]
        )

    return run


def shared(name: str) -> Path:
    """A file of the collected cases, which are not part of the project; skips where they are absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the collected cases are not here: {name}")
    return path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the table of test_recall.py, which a worker may have made, and the counts of test_conformance.py."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            known = dict(report.user_properties)
            if "agreements" in known:
                terminalreporter.write_line(str(known["agreements"]))
            table = known.get("recall", ())
            if table:
                terminalreporter.section("recall over the collected cases and captures")
                terminalreporter.write_line("\n".join(table))
