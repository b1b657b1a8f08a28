"""The unit probe, through a systemctl of our own on PATH."""

from __future__ import annotations

from typing import Any

from agentdoctor.host import Host
from agentdoctor.model import Outcome

from .conftest import Command, ask, cases, value

RUNNING_2X = """\
Restart=on-abnormal
Result=success
NRestarts=3
MainPID=812
ExecMainStartTimestamp=Thu 2026-11-22 20:46:55 UTC
KillMode=control-group
LoadState=loaded
ActiveState=active
SubState=running
FragmentPath=/usr/lib/systemd/system/codedeploy-agent.service
UnitFileState=enabled
SourcePath=
ActiveEnterTimestamp=Thu 2026-11-22 20:46:56 UTC
"""
EXITED_1X = """\
Restart=no
Result=success
NRestarts=0
MainPID=0
ExecMainStartTimestamp=
KillMode=process
LoadState=loaded
ActiveState=active
SubState=exited
FragmentPath=/run/systemd/generator.late/codedeploy-agent.service
UnitFileState=generated
SourcePath=/etc/init.d/codedeploy-agent
ActiveEnterTimestamp=Thu 2026-11-22 20:46:56 UTC
"""
NOT_FOUND = """\
Restart=no
Result=success
NRestarts=0
MainPID=0
ExecMainStartTimestamp=n/a
LoadState=not-found
ActiveState=inactive
SubState=dead
FragmentPath=
SourcePath=
UnitFileState=
ActiveEnterTimestamp=
"""

STATES = [
    (
        "2.x at work",
        RUNNING_2X,
        {
            "load_state": "loaded",
            "active_state": "active",
            "sub_state": "running",
            "result": "success",
            "restarts": 3,
            "main_pid": 812,
            "kill_mode": "control-group",
            "restart": "on-abnormal",
            "unit_file_state": "enabled",
            "fragment_path": "/usr/lib/systemd/system/codedeploy-agent.service",
            "source_path": "",
            "started": "Thu 2026-11-22 20:46:55 UTC",
        },
    ),
    (
        "1.x from an init script, nothing runs",
        EXITED_1X,
        {
            "active_state": "active",
            "sub_state": "exited",
            "main_pid": 0,
            "kill_mode": "process",
            "source_path": "/etc/init.d/codedeploy-agent",
            "started": "Thu 2026-11-22 20:46:56 UTC",
        },
    ),
    (
        "no such unit",
        NOT_FOUND,
        {"load_state": "not-found", "active_state": "inactive", "kill_mode": None, "fragment_path": "", "started": ""},
    ),
    ("an old systemd", "LoadState=loaded\nMainPID=[not set]\n", {"restarts": None, "main_pid": None, "started": ""}),
    ("a value with an equals sign", "Result=a=b\n", {"result": "a=b"}),
]


@cases(STATES)
def test_state(command: Command, output: str, expected: dict[str, Any]) -> None:
    command("systemctl", f"cat <<'END'\n{output}END\n")
    seen = value("unit.state", Host())
    assert {name: seen[name] for name in expected} == expected


def test_what_is_asked(command: Command) -> None:
    command("systemctl", 'echo "Result=$1 $2 $3 $LC_ALL"\n')
    assert value("unit.state", Host())["result"] == "show codedeploy-agent.service -p C"


FAILURES = [
    (
        "no systemd here",
        "echo 'System has not been booted with systemd as init system (PID 1).' >&2; exit 1",
        "System has not been booted with systemd as init system (PID 1).",
    ),
    ("no bus", "echo 'Failed to connect to bus: Host is down' >&2; exit 1", "Failed to connect to bus: Host is down"),
    ("fails after some output", "echo LoadState=loaded; exit 1", "no output"),
    ("says nothing", "exit 0", "no output"),
    ("hangs", "exec sleep 30", "did not answer"),
]


@cases(FAILURES)
def test_cannot_look(command: Command, script: str, reason: str) -> None:
    command("systemctl", script)
    seen = ask("unit.state", Host())
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert reason in seen.reason


def test_no_systemctl(no_commands: None) -> None:
    seen = ask("unit.state", Host())
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert seen.reason == "systemctl is not on this host"
