"""Which processes are the agent: tables of command lines, and real look-alikes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import CannotLook, Look, Values, find
from agentdoctor.probes._work import ports
from agentdoctor.probes.process import Part, Seen, census, classify, see

from .conftest import Start, ask, cases, value, write

MASTER_1X, WORKER_1X = Part("master", "1.x"), Part("worker", "1.x")
MASTER_2X, WORKER_2X = Part("master", "2.x"), Part("worker", "2.x")
PROGRAM = "/opt/codedeploy-agent/bin/codedeploy-agent"
POLLER = "codedeploy-agent: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller of master 812"

# Each process has pid 812 and parent 1 unless the row is about a child, whose parent is 812.
PROCESSES = [
    ("1.x master", ["codedeploy-agent: master 812"], 812, 1, MASTER_1X),
    ("1.x master, padded", ["codedeploy-agent: master 812", *[""] * 18], 812, 1, MASTER_1X),
    ("1.x master, split at blanks", ["codedeploy-agent:", "master", "812"], 812, 1, MASTER_1X),
    ("1.x master, stopping", ["codedeploy-agent: master 812 - shutting down"], 812, 1, MASTER_1X),
    ("1.x worker", [POLLER], 820, 812, WORKER_1X),
    ("1.x worker, split at blanks", POLLER.split(), 820, 812, WORKER_1X),
    ("1.x worker, stopping", [POLLER + " - shutting down"], 820, 812, WORKER_1X),
    ("1.x worker whose master was killed", [POLLER], 820, 1, WORKER_1X),
    ("1.x child that still has its parent's title", ["codedeploy-agent: master 812"], 820, 812, None),
    ("1.x child that boots", ["codedeploy-agent: booting child"], 820, 812, None),
    ("1.x being started", ["ruby", PROGRAM, "start"], 812, 1, None),
    ("1.x of another name", ["codedeploy-agent-2: master 812"], 812, 1, None),
    ("2.x master", [PROGRAM, "start"], 812, 1, MASTER_2X),
    ("2.x master with options", [PROGRAM, "--config-file", "/etc/x.yml", "start"], 812, 1, MASTER_2X),
    ("2.x worker", [PROGRAM, "worker"], 820, 812, WORKER_2X),
    ("2.x worker whose master was killed", [PROGRAM, "worker"], 820, 1, WORKER_2X),
    ("2.x asked for its state", [PROGRAM, "status"], 830, 1, None),
    ("2.x being stopped", [PROGRAM, "stop"], 830, 1, None),
    ("2.x deploying here", [PROGRAM, "deploy-local", "--events", "start"], 830, 1, None),
    ("2.x without a command", [PROGRAM], 830, 1, None),
    ("the shell around 2.x", ["/bin/bash", "-a", "-c", f"source /etc/profile; {PROGRAM} start"], 811, 1, None),
    ("the init script", ["/bin/bash", "/etc/init.d/codedeploy-agent", "start"], 830, 1, None),
    ("grep", ["grep", "codedeploy-agent: master 812"], 812, 1, None),
    ("grep of the program", ["grep", PROGRAM, "start"], 812, 1, None),
    ("tail", ["tail", "-F", "/var/log/aws/codedeploy-agent/codedeploy-agent.log"], 812, 1, None),
    ("an editor", ["vi", PROGRAM], 812, 1, None),
    ("an editor on a file of that title", ["vim", "codedeploy-agent: master 812"], 812, 1, None),
    ("a doctor", ["/usr/bin/python3", "-m", "agentdoctor", "check", "codedeploy-agent", "start"], 812, 1, None),
    ("sudo", ["sudo", "service", "codedeploy-agent", "start"], 812, 1, None),
    ("the local command", ["ruby", "/opt/codedeploy-agent/bin/codedeploy-local", "start"], 812, 1, None),
    ("a thread of the kernel", [], 2, 0, None),
]


@cases(PROCESSES)
def test_classify(cmdline: list[str], pid: int, ppid: int, expected: Part | None) -> None:
    assert classify(Seen(pid, ppid, tuple(cmdline), 0.0)) == expected


def test_classify_uses_the_configured_name() -> None:
    renamed = Seen(812, 1, ("my.agent: master 812",), 0.0)
    assert classify(renamed, "my.agent") == MASTER_1X
    assert classify(Seen(812, 1, ("myXagent: master 812",), 0.0), "my.agent") is None


MASTER = Seen(812, 1, ("codedeploy-agent: master 812",), 100.0)
WORKER = Seen(820, 812, (POLLER,), 101.0)
NEWER = Seen(840, 812, (POLLER,), 150.0)
SECOND = Seen(900, 1, ("codedeploy-agent: master 900",), 190.0)
RUST, RUST_WORKER = Seen(7, 1, (PROGRAM, "start"), 100.0), Seen(8, 7, (PROGRAM, "worker"), 140.0)
NONE = {"running": False, "generation": "", "master_pid": 0, "master_started": None, "master_age": None, "workers": 0}
NO_WORKER = {"workers": 0, "worker_pid": 0, "worker_started": None, "worker_age": None}

CENSUS = [
    ("nothing", [], {**NONE, **NO_WORKER}),
    (
        "1.x at work",
        [MASTER, WORKER],
        {
            "running": True,
            "generation": "1.x",
            "master_pid": 812,
            "master_started": 100.0,
            "master_age": 100.0,
            "workers": 1,
            "worker_pid": 820,
            "worker_started": 101.0,
            "worker_age": 99.0,
        },
    ),
    ("master alone", [MASTER], {"running": True, "master_pid": 812, **NO_WORKER}),
    ("the youngest worker", [NEWER, MASTER, WORKER], {"workers": 2, "worker_pid": 840, "worker_age": 50.0}),
    ("an orphan is no agent", [WORKER], {"running": False, "generation": "1.x", "workers": 1, "worker_pid": 820}),
    ("the master with a child", [SECOND, MASTER, WORKER], {"master_pid": 812}),
    ("the younger of two without", [SECOND, MASTER], {"master_pid": 900}),
    ("2.x at work", [RUST, RUST_WORKER], {"running": True, "generation": "2.x", "worker_pid": 8, "worker_age": 60.0}),
    ("an orphan of 1.x beside 2.x", [WORKER, RUST, RUST_WORKER], {"generation": "2.x", "master_pid": 7}),
]


@cases(CENSUS)
def test_census(processes: list[Seen], expected: dict[str, Any]) -> None:
    seen = census(processes, 200.0)
    assert {name: seen[name] for name in expected} == expected


def test_a_real_process(start: Start) -> None:
    """Under a name of its own: tests that run beside this one look for an agent among all processes."""
    program = f"/opt/stand-in/bin/{os.getpid()}"
    pid = start(program, "start")
    seen = see(pid)
    assert seen is not None
    assert (seen.pid, seen.ppid, seen.cmdline) == (pid, os.getpid(), (program, "start"))


def test_the_agent_is_found_among_all_processes(start: Start, renamed: tuple[str, Host]) -> None:
    name, host = renamed
    pid = start(f"{name}: master {{pid}}")
    start("grep", "start")
    seen = value("process.agent", host)
    assert (seen["running"], seen["generation"], seen["master_pid"], seen["workers"]) == (True, "1.x", pid, 0)


def test_no_agent_among_all_processes(alone: None, renamed: tuple[str, Host]) -> None:
    seen = value("process.agent", renamed[1])
    assert (seen["running"], seen["master_pid"], seen["generation"]) == (False, 0, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a namespace of processes")
def test_an_agent_in_a_container_is_not_this_hosts(renamed: tuple[str, Host]) -> None:
    """It is in the process table all the same, with another number there."""
    program, host = renamed
    title = f"{program}: {POLLER.partition(': ')[2]}"
    shell = f'exec -a "{title}" sleep 60'
    inside = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", shell])
    try:
        wait_until_listed(title)
        assert value("process.agent", host)["workers"] == 0
    finally:
        inside.kill()
        inside.wait()


def wait_until_listed(title: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if any(title.encode() in path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()):
            return
    raise AssertionError(f"{title} never ran")


def test_no_agent_on_a_host_that_hides_processes(
    alone: None, renamed: tuple[str, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    class Hidden(psutil.Process):
        def cmdline(self) -> list[str]:
            raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr("psutil.Process", Hidden)
    seen = ask("process.agent", renamed[1])
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert "hidepid" in seen.reason


PID_FILE = "/opt/codedeploy-agent/state/.pid/codedeploy-agent.pid"
GONE = {"pid": 0, "alive": False, "is_agent": False}
PID_FILES = [
    ("empty", "", {"present": True, "empty": True, **GONE}),
    ("only a newline", "\n", {"present": True, "empty": True, **GONE}),
    ("torn", "81x", {"present": True, "empty": False, **GONE}),
    ("negative", "-1", {"present": True, "empty": False, **GONE}),
    ("zero", "0", {"present": True, "empty": False, **GONE}),
    ("endless", "9" * 5000, {"present": True, "empty": False, **GONE}),
    ("larger than any", "4194305", {"present": True, "empty": False, **GONE}),
    ("digits of another script", "٣٤", {"present": True, "empty": False, **GONE}),
    ("somebody else's", f"{os.getpid()}\n", {"pid": os.getpid(), "alive": True, "is_agent": False}),
]


@cases(PID_FILES)
def test_pidfile(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    write(tmp_path, {PID_FILE: text})
    seen = value("process.pidfile", Host(root=str(tmp_path)))
    assert {name: seen[name] for name in expected} == expected


def test_no_pidfile(tmp_path: Path) -> None:
    assert value("process.pidfile", Host(root=str(tmp_path))) == {"present": False, "empty": False, **GONE}


def test_pidfile_of_a_process_that_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    write(tmp_path, {PID_FILE: f"{ended.pid}\n"})
    seen = value("process.pidfile", Host(root=str(tmp_path)))
    assert (seen["pid"], seen["alive"], seen["is_agent"]) == (ended.pid, False, False)


def test_pidfile_of_the_agent(tmp_path: Path, start: Start, renamed: tuple[str, Host]) -> None:
    name, host = renamed
    pid = start(f"{name}: master {{pid}}")
    write(tmp_path / "root", {f"/opt/codedeploy-agent/state/.pid/{name}.pid": f"{pid}\n"})
    seen = value("process.pidfile", host)
    assert seen == {"present": True, "empty": False, "pid": pid, "alive": True, "is_agent": True}


def work(root: Path, pid: int) -> Values:
    """What process.work says of this worker."""
    evidence = Evidence("process.agent", "process", {"worker_pid": pid})
    return find("process.work").look(Look(Host(root=str(root)), {}, lambda _: evidence))


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this host that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


CONFIG = "/etc/codedeploy-agent/conf/codedeployagent.yml"
ENDPOINTS = [
    ("the endpoint", ":deploy_control_endpoint: http://127.0.0.1:{port}\n", 1),
    ("the endpoint, with a slash", ":deploy_control_endpoint: 'http://127.0.0.1:{port}/'\n", 1),
    ("a proxy with a password", ":proxy_uri: http://user:word@127.0.0.1:{port}\n", 1),
    ("something else", ":proxy_uri: https://proxy.example\n", 0),
    ("nothing configured", "", 0),
]


@cases(ENDPOINTS)
def test_connections(tmp_path: Path, start: Start, port: int, text: str, connections: int) -> None:
    write(tmp_path / "root", {CONFIG: text.format(port=port)})
    assert work(tmp_path / "root", start("worker", port=port))["connections"] == connections


def test_ports(tmp_path: Path) -> None:
    for text, expected in (("", {443}), (":proxy_uri: http://proxy\n", {443, 80}), (":proxy_uri: https://p/\n", {443})):
        assert ports(write(tmp_path, {CONFIG: text})) == expected


def test_a_worker_that_waits(tmp_path: Path, start: Start) -> None:
    seen = work(tmp_path, start("worker"))
    assert (seen["connections"], seen["children"], seen["deploying"]) == (0, 0, False)
    assert seen["state"] in ("S", "R")
    assert 0.0 <= seen["cpu_seconds"] < 60.0


def test_a_worker_that_is_stopped(tmp_path: Path, start: Start) -> None:
    pid = start("worker")
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    seen = work(tmp_path, pid)
    os.kill(pid, signal.SIGCONT)
    assert seen["state"] == "T"


def test_a_worker_that_runs_a_hook(tmp_path: Path, start: Start) -> None:
    """The test itself is the worker here, and has one child more."""
    before = work(tmp_path, os.getpid())["children"]
    start("hook.sh")
    assert work(tmp_path, os.getpid())["children"] == before + 1


def test_a_lifecycle_event_at_work(tmp_path: Path, start: Start) -> None:
    write(tmp_path / "root", {"/opt/codedeploy-agent/deployment-root/ongoing-deployment/d-AAAAAAAAA": "aWQ="})
    assert work(tmp_path / "root", start("worker"))["deploying"] is True


def test_a_worker_that_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    seen = work(tmp_path, ended.pid)
    assert seen == {"connections": None, "cpu_seconds": None, "state": None, "children": None, "deploying": False}


def test_no_worker(tmp_path: Path) -> None:
    with pytest.raises(CannotLook) as caught:
        work(tmp_path, 0)
    assert caught.value.outcome is Outcome.SKIP


def test_connections_that_we_may_not_see(unprivileged: Path) -> None:
    parent = os.getppid()  # root's, where the tests run as root
    seen = work(unprivileged, 1 if parent == 0 else parent)
    assert (seen["connections"] is None) == (os.getuid() == 0)
    assert seen["state"] is not None
