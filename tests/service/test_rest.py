"""What the service holds while nothing happens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from service.stand import DENIED, Stand, environment

# Heavy things that others do for it, in processes that end; and what only reading settings and arguments needs.
BANNED = (
    *("boto3", "botocore", "requests", "urllib3", "http.client", "ssl", "_ssl", "_hashlib", "hashlib"),
    *("psutil", "yaml", "argparse", "asyncio", "multiprocessing", "email", "random", "xml"),
)
PROGRAM = """
import json, sys
from agentdoctor import daemon, rules
from agentdoctor.clock import Clock
from agentdoctor.service import Service
from agentdoctor.settings import Settings
from agentdoctor.store import Store
clock = Clock()
settings = Settings(root=sys.argv[1], state_dir=sys.argv[2], imds_endpoint="http://127.0.0.1:9")
store = Store.open(settings.state_dir, clock=lambda: clock.read().steady)
service = Service(settings, rules.load("/nonexistent"), store, clock)
for _ in range(3):
    service.turn()
findings = [life.rule for life in service.watch.judge.lives.values()]
service.close()
print(json.dumps([findings, sorted(sys.modules)]))
"""


def test_nothing_heavy_is_loaded(tmp_path: Path) -> None:
    """After it has read, looked at the host, and told the journal of a finding; watchdog's own imports apart."""
    stand = Stand(tmp_path)
    stand.log(DENIED)
    (tmp_path / "watchdog.py").write_text("raise ImportError('not here')\n")
    path = f"{tmp_path}:{environment()['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "root"), str(tmp_path / "state")],
        capture_output=True,
        text=True,
        check=True,
        env={**environment(), "PYTHONPATH": path},
    )
    findings, modules = json.loads(done.stdout)
    assert "command-access-denied" in findings
    assert not set(BANNED) & set(modules)
