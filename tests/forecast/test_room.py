"""File systems that a revision goes to, on real ones: small, and mounted read-only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bundle.packing import HEAD, pack

FILES = HEAD + "files:\n- source: web\n  destination: /srv/app\n"
# What the file system at /srv holds beforehand is on the clean-up list of the group.
OLD = "opt/codedeploy-agent/deployment-root/deployment-instructions/g-1-cleanup"
SCRIPT = """
import sys
from agentdoctor.asking import Asker
from agentdoctor.bundle.opening import opened
from agentdoctor.bundle.judging import judge
from agentdoctor.appspec.finding import TARGETS
from agentdoctor.forecast import forecast
from agentdoctor.forecast.instance import chosen
from agentdoctor.host import Host
import json
host = Host(root=sys.argv[1])
ask = Asker(host, 30.0).ask
instance = chosen(host, ask, "")
problems, errors = judge(opened(sys.argv[2]), TARGETS, [], lambda revision: forecast(revision, instance))
print(json.dumps([[f"{p.severity.value} {p.rule} {p.text}" for p in problems if p.here], errors]))
"""


def _may_mount() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _may_mount(), reason="a file system of its own needs user namespaces, or root")


def told(tmp_path: Path, mount: str, old: int = 0, files: int = 2) -> tuple[list[str], list[str]]:
    """What is said of a bundle of 2 MiB with /srv on a file system of its own."""
    root = tmp_path / "root"
    (root / "srv").mkdir(parents=True)
    (root / OLD).parent.mkdir(parents=True)
    (root / OLD).write_text("/srv/old\n" if old else "")
    bundle = pack("tar", {"appspec.yml": FILES, **{f"web/{n}": b"x" * (1 << 20) for n in range(files)}}, tmp_path)
    before = f"head -c {old} /dev/zero > {root}/srv/old" if old else "true"
    shell = f'mount -t tmpfs -o {mount} tmpfs {root}/srv && {before} && exec "$@"'
    python = [sys.executable, "-c", SCRIPT, str(root), str(bundle)]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", shell, "sh", *python], capture_output=True, text=True, check=True
    )
    problems, errors = json.loads(done.stdout)
    return problems, errors


CASES = {
    "room enough": ("size=4m", 0, []),
    "too small": ("size=1m", 0, ["critical disk-full the file system of ", "2 MiB"]),
    "as large as what is removed first": ("size=3m", 2 << 20, []),
    "read-only": ("ro,size=4m", 0, ["critical filesystem-read-only /srv/app is on a file system"]),
    "too few inodes": ("size=4m,nr_inodes=2", 0, ["critical inodes-full"]),
}


@pytest.mark.parametrize(("mount", "old", "expected"), CASES.values(), ids=CASES)
def test_each(mount: str, old: int, expected: list[str], tmp_path: Path) -> None:
    """After what the clean-up gives back."""
    problems, errors = told(tmp_path, mount, old)

    assert errors == []
    assert len(problems) == bool(expected), problems
    assert all(words in problems[0] for words in expected), problems
