"""R10: a disk that is really full, or refuses to let files grow; and system calls that fail or never return."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TOP}:{TOP / 'tests'}"}
SMALL = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=400k tmpfs "$0" && exec "$@"']


@cache
def namespaces() -> bool:
    """Whether a file system of our own can be had."""
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


# what runs out -> what is said of it
REASONS = {"space": ("database or disk is full", "No space left on device"), "limit": ("disk I/O error",)}


@pytest.mark.parametrize("when", ["first", "later"], ids=["from the start", "later"])
@pytest.mark.parametrize("how", REASONS)
def test_r10_a_full_disk_takes_nothing_and_delays_no_letter(how: str, when: str, memory: Path) -> None:
    """Forty changes on a full disk are told at once; when there is room again all is written, by the same process."""
    inside: list[str] = []
    if how == "space":
        if not namespaces():
            pytest.skip("no namespace to mount a small disk in")
        inside = [*SMALL, str(memory)]
    command = [*inside, sys.executable, "-m", "crash.full", str(memory), how, when]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT, cwd="/").stdout)
    keys = [f"k{number}" for number in range(1, found["turns"] + 1)]

    assert found["why"] in REASONS[how]
    assert found["since"] == (0 if when == "first" else 2), "the first turn that failed"
    assert found["saved in trouble"] == 0
    assert found["told"] == keys
    assert (found["durable at last"], found["notices"]) == (True, [])
    assert (found["findings"], found["sent"]) == ({"a": str(found["turns"])}, keys)
