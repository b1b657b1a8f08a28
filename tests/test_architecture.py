"""Who may import whom, and why: the directions that keep the judgement free of the world."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "agentdoctor"
OUTSIDE = {"boto3", "requests", "watchdog", "systemd", "psutil", "yaml", "socket", "http", "subprocess", "threading"}
CLOCKS = {"time"}
EDGES = {"agentdoctor.host", "agentdoctor.probes", "agentdoctor.asking", "agentdoctor.logs", "agentdoctor.runs"}
TOP = {"agentdoctor.cli", "agentdoctor.verbs", "agentdoctor.runs"}
REPORT = {"agentdoctor.report"}
STATE = {"agentdoctor.store", "sqlite3"}

# (modules, what they must not import, why)
BANS = (
    ("model.py", {"agentdoctor"} | OUTSIDE | CLOCKS, "the nouns import nothing of ours and nothing heavy"),
    ("doctor.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "the judgement has no I/O, no clock and no third party"),
    ("symptoms.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "part of the judgement"),
    ("settling.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "part of the judgement"),
    ("failures.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "part of the judgement"),
    ("templates.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "part of the judgement"),
    ("meanings.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "part of the judgement"),
    ("evidence.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "part of the judgement"),
    ("words/*.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "words for values, no look at the host"),
    ("life.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "findings and a time in, what is to be told out"),
    ("remembering.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "symptoms to text and back"),
    ("patterns.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "text in, matches out"),
    ("linear.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "text in, verdict out"),
    ("verify.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "findings in, an answer out"),
    ("outbox/*.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT | STATE, "letters, times and chances in, letters out"),
    ("store/*.py", OUTSIDE | EDGES | TOP | REPORT, "values in, a file out"),
    ("secrets.py", {"agentdoctor"} | OUTSIDE | CLOCKS, "text in, text out: everything that shows text uses it"),
    ("scrub.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "everything that shows text uses it"),
    ("record.py", {"agentdoctor"} | OUTSIDE | CLOCKS, "text in, a value out"),
    ("snapshot/pseudonyms.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "text in, text out"),
    (
        "snapshot/unpacking.py",
        OUTSIDE | CLOCKS | (EDGES - {"agentdoctor.record"}) | TOP | REPORT,
        "bytes in, files out",
    ),
    ("grammars/*.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "bytes in, records out; zones are arguments"),
    ("rules/schema.py", (OUTSIDE - {"yaml"}) | CLOCKS | EDGES | TOP | REPORT, "rule files in, rules out"),
    (
        "probes/*.py",
        {"agentdoctor.doctor", "agentdoctor.rules", "agentdoctor.logs"} | TOP | REPORT,
        "probes never judge",
    ),
    (
        "logs.py",
        {"agentdoctor.doctor", "agentdoctor.rules", "agentdoctor.probes"} | TOP | REPORT,
        "files in, records out",
    ),
    (
        "forecast/*.py",
        OUTSIDE | CLOCKS | {"agentdoctor.doctor", "agentdoctor.rules", "agentdoctor.logs"} | TOP | REPORT,
        "a bundle and what the host and its probes say in, problems out",
    ),
    ("bundle/*.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "a bundle is judged alike on every machine"),
    ("report/*.py", OUTSIDE | CLOCKS | EDGES - {"agentdoctor.host"} | TOP, "a format is a function of a run"),
    ("report/lint/*.py", OUTSIDE | CLOCKS | EDGES | TOP, "a format is a function of what lint found"),
    ("sinks/message.py", OUTSIDE | CLOCKS | EDGES - {"agentdoctor.host"} | TOP | REPORT, "a letter in, a message out"),
    ("sinks/text.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "a letter in, text out"),
    ("sinks/clean.py", {"agentdoctor"} | OUTSIDE | CLOCKS, "text in, text out"),
    ("sinks/topic.py", {"agentdoctor"} | OUTSIDE | CLOCKS, "text in, a value out: settings use it"),
    ("sinks/advice.py", OUTSIDE | CLOCKS | EDGES | TOP | REPORT, "a code in, advice out"),
    ("sinks/sns.py", EDGES | TOP | REPORT, "it has the network, and must see neither host nor logs"),
    ("**/*.py", {"requests"}, "it takes 17 MB and 0.1 s, for a few plain requests"),
)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("pattern", "banned", "why"), BANS, ids=[f"{ban[0]}-{n}" for n, ban in enumerate(BANS)])
def test_directions(pattern: str, banned: set[str], why: str) -> None:
    """No file imports what its place in the tree forbids."""
    files = list(PACKAGE.glob(pattern))
    assert files
    for path in files:
        found = {name for name in imports(path) for ban in banned if name == ban or name.startswith(f"{ban}.")}
        assert not found, f"{path.name} imports {sorted(found)}, but {why}"


CORE = (
    "model.py",
    "doctor.py",
    "symptoms.py",
    "meanings.py",
    "evidence.py",
    "words.py",
    "patterns.py",
    "linear.py",
    "grammars/*.py",
    "outbox/*.py",
)


@pytest.mark.parametrize("pattern", CORE)
def test_the_core_opens_nothing_and_asks_no_clock(pattern: str) -> None:
    """No open, no now: files and times come in as arguments."""
    for path in PACKAGE.glob(pattern):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                assert name not in ("open", "now", "today", "utcnow"), f"{path.name}:{node.lineno}"


# Who starts programs, and why that is bounded.
DOORS = {
    "host.py": "commands of the host, each with a time limit and no shell",
    "child.py": "the service's probes and its sender: never waited for beyond their time",
    "journalctl.py": "the service's journal: read without waiting",
}


def test_few_doors_to_commands() -> None:
    users = {path.name for path in PACKAGE.rglob("*.py") if "subprocess" in set(imports(path))}

    assert users == set(DOORS)


def test_one_door_to_file_events() -> None:
    """Everything works without watchdog, so only one module knows it."""
    users = {
        path.name for path in PACKAGE.rglob("*.py") for name in imports(path) if name.partition(".")[0] == "watchdog"
    }

    assert users == {"waking.py"}


def test_one_door_to_aws() -> None:
    """boto3 takes 30 MB: only the child that sends loads it."""
    users = {path.name for path in PACKAGE.rglob("*.py") if "boto3" in set(imports(path))}

    assert users == {"sns.py", "refusals.py"}


def test_files_stay_small() -> None:
    """A module that outgrows a few screens knows too much."""
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
