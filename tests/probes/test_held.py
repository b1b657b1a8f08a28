"""What was deleted under the agent: real processes, real directories, real logs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import CannotLook, Look, Values, find

from .conftest import Start, cases

LOG = "codedeploy-agent.log"


def look(**agent: int) -> Values:
    """What the probe says when these are the agent's processes."""
    evidence = Evidence("process.agent", "process", {"master_pid": 0, "worker_pid": 0, **agent})
    return find("held.deleted").look(Look(Host(), {}, lambda _: evidence))


def nothing(log: Path, cwd: Path) -> None:
    """Leave them alone."""


def delete_log(log: Path, cwd: Path) -> None:
    log.unlink()


def delete_log_and_make_it_anew(log: Path, cwd: Path) -> None:
    log.unlink()
    log.write_text("")


def rename(log: Path, cwd: Path) -> None:
    log.rename(log.with_name(f"{LOG}.1"))
    log.write_text("")


def rename_and_delete(log: Path, cwd: Path) -> None:
    log.rename(log.with_name(f"{LOG}.1")).unlink()


def truncate(log: Path, cwd: Path) -> None:
    log.write_text("")


def replace_its_folder(log: Path, cwd: Path) -> None:
    log.parent.rename(log.parent.with_name("old"))
    log.parent.mkdir()


def delete_cwd(log: Path, cwd: Path) -> None:
    cwd.rmdir()


def delete_cwd_and_make_it_anew(log: Path, cwd: Path) -> None:
    cwd.rmdir()
    cwd.mkdir()


ACTS: list[tuple[str, str, Callable[[Path, Path], None], bool, bool]] = [
    ("nothing", LOG, nothing, False, False),
    ("the log", LOG, delete_log, False, True),
    ("the log, and a new one is there", LOG, delete_log_and_make_it_anew, False, True),
    ("renamed by a rotation", LOG, rename, False, False),
    ("renamed by a rotation, and deleted", LOG, rename_and_delete, False, True),
    ("emptied by a rotation", LOG, truncate, False, False),
    ("its folder was renamed", LOG, replace_its_folder, False, False),
    ("a rolled one", "codedeploy-agent.20261122.log", delete_log, False, True),
    ("another log", "codedeploy-agent-deployments.log", delete_log, False, False),
    ("the wire log", "codedeploy-agent.aws_wire.log", delete_log, False, False),
    ("a log of that ending", "my-codedeploy-agent.log", delete_log, False, False),
    ("a log whose name says so", f"{LOG} (deleted)", nothing, False, False),
    ("the directory", LOG, delete_cwd, True, False),
    ("the directory, and a new one is there", LOG, delete_cwd_and_make_it_anew, True, False),
]


@cases(ACTS)
def test_deleted(
    tmp_path: Path,
    start: Start,
    name: str,
    act: Callable[[Path, Path], None],
    cwd_deleted: bool,
    log_deleted: bool,
) -> None:
    cwd, log = tmp_path / "stand", tmp_path / "log" / name
    cwd.mkdir()
    log.parent.mkdir()
    pid = start("anything", cwd=cwd, log=log)
    act(log, cwd)
    seen = look(master_pid=pid)
    assert (seen["cwd_deleted"], seen["log_deleted"], seen["cwd"]) == (cwd_deleted, log_deleted, str(cwd))


def test_either_directory_counts(tmp_path: Path, start: Start) -> None:
    """A worker that was respawned may stand where its master does not."""
    cwd = tmp_path / "stand"
    cwd.mkdir()
    well, ill = start("well"), start("ill", cwd=cwd)
    cwd.rmdir()
    for master, worker in ((well, ill), (ill, well)):
        seen = look(master_pid=master, worker_pid=worker)
        assert (seen["cwd_deleted"], seen["cwd"]) == (True, str(cwd))


# whose log was deleted -> whether what is written is lost
WRITERS: list[tuple[str, bool, bool, bool]] = [
    ("of both, as they share it", True, True, True),
    ("of the master, which kept one that the worker rolled away", True, False, False),
    ("of the worker", False, True, True),
]


@cases(WRITERS)
def test_the_workers_log_counts(tmp_path: Path, start: Start, of_master: bool, of_worker: bool, lost: bool) -> None:
    logs = [tmp_path / "a" / LOG, tmp_path / "b" / LOG]
    for log in logs:
        log.parent.mkdir()
    master, worker = (start(f"process {n}", log=log) for n, log in enumerate(logs))
    for log, gone in zip(logs, (of_master, of_worker), strict=True):
        if gone:
            log.unlink()
    assert look(master_pid=master, worker_pid=worker)["log_deleted"] is lost
    assert look(master_pid=master)["log_deleted"] is of_master


def test_a_process_without_a_log(start: Start, tmp_path: Path) -> None:
    seen = look(master_pid=start("anything"))
    assert (seen["log_deleted"], seen["log"], seen["cwd"]) == (False, "", str(tmp_path))


def test_no_agent() -> None:
    with pytest.raises(CannotLook) as caught:
        look()
    assert caught.value.outcome is Outcome.SKIP


def test_a_process_that_ended() -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    seen = look(master_pid=ended.pid)
    assert seen == {"cwd_deleted": None, "cwd": "", "log_deleted": None, "log": ""}


@pytest.mark.usefixtures("unprivileged")
def test_only_root_may_look() -> None:
    with pytest.raises(CannotLook, match="only root may see") as caught:
        look(master_pid=1 if os.getpid() != 1 else os.getppid())
    assert caught.value.outcome is Outcome.UNKNOWN


def test_words() -> None:
    from agentdoctor.words import say

    seen: dict[str, Any] = {"cwd": "/srv/x", "cwd_deleted": True, "log": "", "log_deleted": False}
    assert say("held.deleted", "cwd_deleted", True, seen) == "the agent stands in /srv/x, which was deleted"
    assert say("held.deleted", "log_deleted", False, seen) == "the agent has no log open"
