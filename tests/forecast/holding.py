"""A bundle held against a host: real files below a root."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bundle.packing import HEAD, IDS, pack

from agentdoctor.appspec.finding import TARGETS, Problem
from agentdoctor.asking import Asker
from agentdoctor.bundle.judging import judge
from agentdoctor.bundle.opening import opened
from agentdoctor.forecast import forecast
from agentdoctor.forecast.instance import chosen
from agentdoctor.host import Host

ROOT = "/opt/codedeploy-agent/deployment-root"
INSTRUCTIONS = f"{ROOT}/deployment-instructions"
OURS, OTHERS = f"{INSTRUCTIONS}/g-1-cleanup", f"{INSTRUCTIONS}/g-2-cleanup"
FILES = HEAD + "files:\n- source: web\n  destination: /srv/app\n"
BUNDLE = {"appspec.yml": FILES, "web/index.html": "new", "web/img/a.png": "new"}


def lay(root: Path, files: Mapping[str, str | None]) -> None:
    """Files of a host; None is a directory."""
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_text(text)


def told(root: Path, bundle: Mapping[str, str], group: str = "") -> tuple[list[Problem], list[str]]:
    """What lint says of the bundle on this host that it does not say without it."""
    host = Host(root=str(root))
    ask = Asker(host).ask
    path = pack("zip", bundle, root.parent)
    found = opened(str(path))
    assert found is not None
    instance = chosen(host, ask, group)
    problems, errors = judge(found, TARGETS, IDS, lambda revision: forecast(revision, instance))
    return [problem for problem in problems if problem.here], errors


def lines(problems: list[Problem]) -> list[str]:
    return [f"{p.severity.value} {p.rule} {p.path}:{p.line} {p.text}" for p in problems]
