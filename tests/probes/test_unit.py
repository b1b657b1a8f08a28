"""The unit probe, through a systemctl of our own on PATH."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import CannotLook, Look, Values, find

from .conftest import Command, Start, ask, cases, value, write

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
ControlGroup=/system.slice/codedeploy-agent.service
NeedDaemonReload=no
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
            "started_at": 1795380415.0,
            "control_group": "/system.slice/codedeploy-agent.service",
            "need_daemon_reload": False,
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
            "started_at": 1795380416.0,
            "control_group": None,
            "need_daemon_reload": None,
        },
    ),
    (
        "no such unit",
        NOT_FOUND,
        {"load_state": "not-found", "active_state": "inactive", "kill_mode": None, "fragment_path": "", "started": ""},
    ),
    ("an old systemd", "LoadState=loaded\nMainPID=[not set]\n", {"restarts": None, "main_pid": None, "started": ""}),
    ("never started", "ExecMainStartTimestamp=n/a\nActiveEnterTimestamp=\n", {"started": "", "started_at": None}),
    ("a stamp of another zone", "ActiveEnterTimestamp=Thu 2026-11-22 20:46:56 CET\n", {"started_at": None}),
    ("files newer than systemd's", "NeedDaemonReload=yes\n", {"need_daemon_reload": True}),
    ("a value with an equals sign", "Result=a=b\n", {"result": "a=b"}),
]


@cases(STATES)
def test_state(command: Command, output: str, expected: dict[str, Any]) -> None:
    command("systemctl", f"cat <<'END'\n{output}END\n")
    seen = value("unit.state", Host())
    assert {name: seen[name] for name in expected} == expected


def test_what_is_asked(command: Command) -> None:
    command("systemctl", 'echo "Result=$1 $2 $3 $LC_ALL $TZ"\n')
    assert value("unit.state", Host())["result"] == "show codedeploy-agent.service -p C UTC"


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


GROUP = "/system.slice/codedeploy-agent.service"
V2, V1 = f"/sys/fs/cgroup{GROUP}", f"/sys/fs/cgroup/systemd{GROUP}"
TRACKING = "/opt/codedeploy-agent/deployment-root/ongoing-deployment"
PROGRAM = "/opt/codedeploy-agent/bin/codedeploy-agent"


def risk(root: Path, mode: str | None = "control-group", group: str | None = GROUP) -> Values:
    """What a restart would hit on a host whose unit is this."""
    unit = {"kill_mode": mode, "control_group": group}
    look = Look(Host(root=str(root)), {}, lambda _: Evidence("unit.state", "systemd", unit))
    return find("unit.restart_risk").look(look)


def put(root: Path, folder: str, *pids: int) -> None:
    """Write a control group with these processes."""
    write(root, {f"{folder}/cgroup.procs": "".join(f"{pid}\n" for pid in pids)})


# KillMode -> how many of two processes of an application a restart ends, and whether that is safe.
MODES: list[tuple[str, str | None, int | None, bool | None]] = [
    ("all of the group", "control-group", 2, False),
    ("all of the group in the end", "mixed", 2, False),
    ("the main process", "process", 0, True),
    ("nothing", "none", 0, True),
    ("not known", None, None, None),
]


@cases(MODES)
def test_restart_risk(tmp_path: Path, start: Start, mode: str | None, kills: int | None, safe: bool | None) -> None:
    app = [start("java -jar shop.jar"), start("node server.js")]
    agent = [start("codedeploy-agent: master {pid}"), start(PROGRAM, "start")]
    put(tmp_path, V2, *app, *agent)
    seen = risk(tmp_path, mode)
    assert (seen["kill_mode"], seen["others"], seen["kills"], seen["safe"]) == (mode, 2, kills, safe)
    assert seen["names"] == [Path(f"/proc/{app[0]}/comm").read_text().strip()]


OWN = [
    ("master", ["codedeploy-agent: master {pid}"]),
    ("booting child", ["codedeploy-agent: booting child"]),
    ("worker", ["codedeploy-agent: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller of master 1"]),
    ("2.x", [PROGRAM, "start"]),
    ("the shell around 2.x", [f"/bin/bash -a -c source /etc/profile; {PROGRAM} start"]),
]


@cases(OWN)
def test_the_agent_itself_is_nothing_to_lose(tmp_path: Path, start: Start, argv: list[str]) -> None:
    put(tmp_path, V2, start(*argv))
    seen = risk(tmp_path)
    assert (seen["others"], seen["kills"], seen["names"], seen["safe"]) == (0, 0, [], True)


def test_names_are_few_and_without_arguments(tmp_path: Path, start: Start) -> None:
    put(tmp_path, V2, start("mysqld --password=secret"))
    assert "secret" not in str(risk(tmp_path))


GROUPS: list[tuple[str, str, str | None, int]] = [
    ("v2", V2, GROUP, 1),
    ("v1", V1, GROUP, 1),
    ("below it", f"{V2}/app", GROUP, 1),
    ("stopped", V2, "", 0),
]


@cases(GROUPS)
def test_where_control_groups_are(tmp_path: Path, start: Start, folder: str, group: str, others: int) -> None:
    put(tmp_path, folder, start("java"))
    if folder.startswith(f"{V2}/"):
        put(tmp_path, V2)
    assert risk(tmp_path, group=group)["others"] == others


def test_without_its_control_group(tmp_path: Path) -> None:
    """Somebody else's tells nothing of it; a systemd that names none tells nothing either."""
    put(tmp_path, "/sys/fs/cgroup/system.slice/other.service")
    for group in (GROUP, None):
        with pytest.raises(CannotLook) as caught:
            risk(tmp_path, group=group)
        assert caught.value.outcome is Outcome.UNKNOWN


def test_a_process_that_ended_is_nothing_to_lose(tmp_path: Path) -> None:
    put(tmp_path, V2, 4194304)
    assert risk(tmp_path)["safe"] is True


NOTES: list[tuple[str, dict[str, float], bool, str]] = [
    ("none", {}, False, ""),
    ("one at work", {"d-AAAAAAAAA": 60.0}, True, "d-AAAAAAAAA"),
    ("a leftover of yesterday", {"d-AAAAAAAAA": 90000.0}, False, ""),
    ("a leftover and one at work", {"d-AAAAAAAAA": 90000.0, "d-BBBBBBBBB": 5.0}, True, "d-BBBBBBBBB"),
    ("two at work", {"d-CCCCCCCCC": 9.0, "d-BBBBBBBBB": 500.0}, True, "d-CCCCCCCCC"),
]


@cases(NOTES)
def test_a_deployment_at_work(tmp_path: Path, ages: dict[str, float], deploying: bool, deployment: str) -> None:
    put(tmp_path, V2)
    for name, age in ages.items():
        write(tmp_path, {f"{TRACKING}/{name}": "aWQ="})
        os.utime(f"{tmp_path}{TRACKING}/{name}", (time.time() - age,) * 2)
    seen = risk(tmp_path, "process")
    assert (seen["deploying"], seen["deployment"], seen["safe"]) == (deploying, deployment, not deploying)


def test_a_deployment_that_we_may_not_see(unprivileged: Path) -> None:
    put(unprivileged, V2)
    write(unprivileged, {TRACKING: None})
    Path(f"{unprivileged}{TRACKING}").chmod(0)
    seen = risk(unprivileged)
    Path(f"{unprivileged}{TRACKING}").chmod(0o700)
    assert (seen["deploying"], seen["kills"], seen["safe"]) == (None, 0, None)
