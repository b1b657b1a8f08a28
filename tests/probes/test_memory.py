"""The probes of memory: texts of a kernel, and a journal that a stand-in plays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes.memory import victims
from agentdoctor.words import tell

from .conftest import Command, ask, cases, value, write

MEMINFO = """\
MemTotal:        2000000 kB
MemFree:          100000 kB
MemAvailable:     500000 kB
Buffers:               0 kB
SwapTotal:       1000000 kB
SwapFree:         250000 kB
HugePages_Total:       0
"""


def test_state(tmp_path: Path) -> None:
    write(tmp_path, {"/proc/meminfo": MEMINFO})
    assert value("memory.state", Host(root=str(tmp_path))) == {
        "total_bytes": 2_048_000_000,
        "available_bytes": 512_000_000,
        "available_percent": 25.0,
        "swap_total": 1_024_000_000,
        "swap_free": 256_000_000,
    }


def test_state_of_this_machine() -> None:
    seen = value("memory.state", Host())
    assert 0 < seen["available_bytes"] <= seen["total_bytes"]


def test_an_old_kernel_that_does_not_say_what_is_available(tmp_path: Path) -> None:
    write(tmp_path, {"/proc/meminfo": MEMINFO.replace("MemAvailable", "MemOther")})
    assert ask("memory.state", Host(root=str(tmp_path))).outcome is Outcome.UNKNOWN


KILLED = "1763800000.5 ip-10-0-0-1 kernel: Out of memory: Killed process 812 (ruby) total-vm:1234kB, anon-rss:1000kB"
KERNEL = [
    ("killed", [KILLED], [(1763800000.5, "ruby")]),
    (
        "an older kernel",
        ["1.5 h kernel: Out of memory: Kill process 8 (java) score 5 or sacrifice child"],
        [(1.5, "java")],
    ),
    (
        "in a cgroup",
        ["1.5 h kernel: Memory cgroup out of memory: Killed process 8 (npm install) a"],
        [(1.5, "npm install")],
    ),
    ("with a stamp of the kernel's own", ["1.5 h kernel: [9.1] Out of memory: Killed process 8 (a)"], [(1.5, "a")]),
    ("another name in brackets", ["1.5 h kernel: Out of memory: Killed process 8 (a(b)) total-vm:1kB"], [(1.5, "a(b")]),
    ("only called", ["1.5 h kernel: ruby invoked oom-killer: gfp_mask=0x100cca"], []),
    ("nobody to kill", ["1.5 h kernel: Out of memory and no killable processes..."], []),
    ("no line", ["-- No entries --"], []),
]


@cases(KERNEL)
def test_victims(lines: list[str], expected: list[tuple[float, str]]) -> None:
    assert list(victims(lines)) == expected


def test_oom(command: Command) -> None:
    command("journalctl", f"echo '{KILLED}'; echo '{KILLED.replace('812 (ruby)', '9 (node)').replace('0.5 ', '9.5 ')}'")
    assert value("memory.oom", Host()) == {"kills": 2, "last_victim": "node", "last_at": 1763800009.5}


def test_no_kill(command: Command) -> None:
    """Without a match journalctl ends with 1 and says so on its standard output."""
    command("journalctl", "echo '-- No entries --'; exit 1")
    assert value("memory.oom", Host()) == {"kills": 0, "last_victim": "", "last_at": None}


BLIND = [
    ("not root", "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2"),
    ("no journal", "echo 'No journal files were found.' >&2; echo '-- No entries --'; exit 1"),
    ("an option that it does not know", "echo \"journalctl: unrecognized option '--grep'\" >&2; exit 1"),
]


@cases(BLIND)
def test_what_is_not_shown_is_unknown(command: Command, script: str) -> None:
    command("journalctl", script)
    seen = ask("memory.oom", Host())
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert "kernel's journal" in seen.reason


def test_no_journalctl(no_commands: None) -> None:
    assert ask("memory.oom", Host()).outcome is Outcome.UNKNOWN


@pytest.mark.skipif(not shutil.which("journalctl"), reason="there is no journalctl here")
def test_the_real_journalctl_takes_the_options() -> None:
    """Whatever it may show us, it does not complain of what it was asked."""
    seen = ask("memory.oom", Host())
    assert "option" not in seen.reason
    assert "parse" not in seen.reason
    assert seen.value is not None or os.geteuid() != 0 or "journal" in seen.reason


def test_words() -> None:
    none = {"kills": 0, "last_victim": "", "last_at": None}
    assert "no process killed" in tell("memory.oom", none)
    assert tell("memory.oom", {"kills": 2, "last_victim": "ruby", "last_at": 0.0}) == (
        "the kernel killed 2 for want of memory in the last 7 days, the last was ruby, 1970-01-01 00:00 UTC"
    )
    seen = {"available_bytes": 512_000_000, "total_bytes": 2_048_000_000, "swap_total": 0, "swap_free": 0}
    assert tell("memory.state", seen) == "512.0 MB of 2.0 GB of memory available now, no swap"
