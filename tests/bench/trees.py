"""Copied trees for check: a host whose probes have answered, with logs of the wanted size."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

import generate
from generate import MB, Plan
from measure import TOP

from agentdoctor.model import Rule

DAY = 86400.0
_LOGS = "var/log/aws/codedeploy-agent"
_DEPLOYMENTS = "opt/codedeploy-agent/deployment-root/deployment-logs/codedeploy-agent-deployments.log"
# One nightly run of the installer's update, as it is logged when there is nothing to update (bin/install:45-60).
_UPDATE = """I, [{0}.667214 #59]  INFO -- : Starting Ruby version check.
I, [{0}.667311 #59]  INFO -- : Starting update check.
I, [{0}.667329 #59]  INFO -- : Checking AWS_REGION environment variable for region information...
I, [{0}.667341 #59]  INFO -- : Checking EC2 metadata service for region information...
I, [{0}.685636 #59]  INFO -- : Endpoint: https://aws-codedeploy-us-east-1.s3.us-east-1.amazonaws.com/latest/LATEST_VERSION
I, [{0}.754302 #59]  INFO -- : Running version OFFICIAL_1.8.1-99_deb
I, [{0}.754833 #59]  INFO -- : Running version matches target version, skipping install
I, [{0}.754902 #59]  INFO -- : Update check complete.
I, [{0}.754911 #59]  INFO -- : Stopping updater.
"""
_HOOK = """[{1}.291] [d-{2:09X}]LifecycleEvent - AfterInstall
[{1}.291] [d-{2:09X}]Script - scripts/after.sh
[{1}.301] [d-{2:09X}][stdout]installing dependencies, step {2} of many
[{1}.301] [d-{2:09X}][stderr]npm WARN deprecated har-validator@5.1.5: this library is no longer supported
[{1}.307] [d-{2:09X}][stdout]done
"""


def three_logs(folder: Path, rules: Sequence[Rule], size: int = 2 * MB) -> Path:
    """A host with 2 MB in each of the three logs: agent (1 % failures), deployments, updates."""
    tree, end = folder / "three-logs", 1_760_000_000.0
    _host(tree, end)
    log = generate.agent_log(folder, Plan(size, 0.01, end - 7 * DAY, end), rules)
    shutil.copy(log, tree / _LOGS / "codedeploy-agent.log")
    _write(tree / _DEPLOYMENTS, _repeated(_HOOK, end - 7 * DAY, 60), size)
    _write(tree / "tmp/codedeploy-agent.update.log", _repeated(_UPDATE, end - 7 * DAY, 60), size)
    return tree


def eight_days(folder: Path, rules: Sequence[Rule], size: int = 64 * MB) -> tuple[Path, float]:
    """A host with a log of 64 MB for each of eight days, and when the last of them ends (seconds since the epoch).

    It is made once, so whoever asks for the last hour of it must ask for an hour before that end.
    """
    tree = folder / f"eight-days-{size // MB}mb"
    newest = tree / _LOGS / "codedeploy-agent.log"
    if newest.exists():
        return tree, newest.stat().st_mtime
    end = float(int(datetime.now(timezone.utc).timestamp()))
    _host(tree, end)
    for age in range(7, -1, -1):
        last = end - age * DAY
        plan = Plan(size, 0.01, last - DAY, last, seed=age)
        rolled = f"codedeploy-agent.{datetime.fromtimestamp(last, timezone.utc):%Y%m%d}.log"
        path = tree / _LOGS / rolled if age else newest
        os.replace(generate.agent_log(folder, plan, rules), path)
        os.utime(path, (last, last))
    return tree, end


def _host(tree: Path, end: float) -> None:
    """The demo's host: its files, and what its probes saw, at another time."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(TOP / "agentdoctor/demo/appspec-yaml", tree)
    record = tree / "agentdoctor-snapshot.json"
    document = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps({**document, "taken_at": end}), encoding="utf-8")


def _repeated(text: str, begin: float, step: float) -> Iterator[str]:
    for number in count(1):
        at = datetime.fromtimestamp(begin + number * step, timezone.utc)
        yield text.format(at.strftime("%Y-%m-%dT%H:%M:%S"), at.strftime("%Y-%m-%d %H:%M:%S"), number)


def _write(path: Path, texts: Iterator[str], size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        while file.tell() < size:
            file.write(next(texts))
