"""The disk probe: a table of file systems, and the real one below a temporary directory."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes import CannotLook
from agentdoctor.probes.disk import UNLIMITED, _flags, least, nearest
from agentdoctor.words import tell

from .conftest import ask, cases, value, write

GIB = 1 << 30


def fs(free: int = GIB, blocks: int = 1000, files: int = 1000, ffree: int = 500, flag: int = 0) -> os.statvfs_result:
    """A file system; ``free`` in bytes of 4096-byte fragments, of which a twentieth is kept for root."""
    size = 4096
    return os.statvfs_result((1 << 20, size, blocks, free // size, free * 19 // 20 // size, files, ffree, 0, flag, 255))


SPACES = [
    ("one", {"/": fs()}, {"free_bytes": GIB, "free_bytes_path": "/", "free_inodes": 500, "read_only": []}),
    ("the least wins", {"/": fs(), "/var": fs(8192)}, {"free_bytes": 8192, "free_bytes_path": "/var"}),
    ("full", {"/": fs(), "/tmp": fs(0)}, {"free_bytes": 0, "free_bytes_path": "/tmp", "free_percent": 0.0}),
    ("percent of the least", {"/": fs(4096 * 25, 1000), "/var": fs(blocks=1)}, {"free_percent": 2.5}),
    (
        "inodes on another path than bytes",
        {"/a": fs(4096), "/b": fs(ffree=0)},
        {"free_bytes_path": "/a", "free_inodes": 0, "free_inodes_path": "/b"},
    ),
    (
        "one does not count inodes",
        {"/a": fs(files=0, ffree=0), "/b": fs(ffree=7)},
        {"free_inodes": 7, "free_inodes_path": "/b"},
    ),
    ("none counts inodes", {"/a": fs(files=0, ffree=0)}, {"free_inodes": UNLIMITED, "free_inodes_path": ""}),
    ("one has no size", {"/proc": fs(0, blocks=0), "/": fs()}, {"free_bytes_path": "/"}),
    (
        "read only",
        {"/": fs(), "/opt": fs(flag=os.ST_RDONLY | os.ST_NOSUID), "/tmp": fs(flag=os.ST_NOSUID)},
        {"read_only": ["/opt"]},
    ),
]


@cases(SPACES)
def test_least(found: dict[str, os.statvfs_result], expected: dict[str, Any]) -> None:
    seen = least(found)
    assert {name: seen[name] for name in expected} == expected


def test_no_file_system_with_a_size() -> None:
    with pytest.raises(CannotLook):
        least({"/proc": fs(0, blocks=0)})


NEAREST = [
    ("there", "/opt/codedeploy-agent", "/opt/codedeploy-agent"),
    ("not yet", "/opt/codedeploy-agent/deployment-root/x", "/opt/codedeploy-agent"),
    ("below a file", "/opt/file/below", "/opt/file"),
    ("nothing of it", "/srv/app", "/"),
    ("a dangling link", "/opt/link", "/opt"),
]


@cases(NEAREST)
def test_nearest(tmp_path: Path, path: str, expected: str) -> None:
    host = write(tmp_path, {"/opt/codedeploy-agent": None, "/opt/file": "x"})
    (tmp_path / "opt/link").symlink_to(tmp_path / "nowhere")
    assert nearest(host, path)[0] == expected


def test_space_of_a_real_file_system(tmp_path: Path) -> None:
    write(tmp_path, {"/opt/codedeploy-agent/deployment-root": None, "/tmp": None})
    seen = value("disk.space", Host(root=str(tmp_path)))
    assert seen["free_bytes"] > 0
    assert 0 < seen["free_percent"] <= 100
    assert seen["free_bytes_path"] in ("/opt/codedeploy-agent/deployment-root", "/tmp", "/", "/opt/codedeploy-agent")
    assert seen["read_only"] == []


def test_space_looks_where_the_configuration_points(tmp_path: Path) -> None:
    text = ":root_dir: /data/root\n:log_dir: /data/log/\n"
    write(tmp_path, {"/etc/codedeploy-agent/conf/codedeployagent.yml": text, "/data/root": None, "/data/log": None})
    seen = value("disk.space", Host(root=str(tmp_path)))
    assert seen["free_bytes_path"] in ("/data/root", "/data/log", "/")


def test_mounts_of_a_real_file_system(tmp_path: Path) -> None:
    write(tmp_path, {"/opt/codedeploy-agent/deployment-root": None, "/tmp": None})
    assert value("disk.mounts", Host(root=str(tmp_path))) == {"read_only": [], "noexec": [], "root_noexec": False}


def test_mounts_that_are_restricted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = {"/opt/codedeploy-agent/deployment-root": os.ST_NOEXEC, "/tmp": os.ST_RDONLY | os.ST_NOEXEC}
    monkeypatch.setattr("agentdoctor.probes.disk.nearest", lambda _, path: (path, fs(flag=flags.get(path, 0))))
    seen = value("disk.mounts", Host(root=str(tmp_path)))
    assert (seen["read_only"], seen["root_noexec"]) == (["/tmp"], True)
    assert seen["noexec"] == ["/opt/codedeploy-agent/deployment-root", "/tmp"]


PATHS = [
    ("a file", "/srv/file", {}, {"exists": True, "kind": "file", "nearest_parent": "/srv/file", "in_the_way": ""}),
    ("nothing yet", "/srv/a/b", {}, {"exists": False, "kind": "", "nearest_parent": "/srv", "in_the_way": ""}),
    ("below a file", "/srv/file/b/c", {}, {"nearest_parent": "/srv/file", "in_the_way": "/srv/file"}),
    ("a directory for a file", "/srv/dir", {}, {"kind": "directory", "in_the_way": "/srv/dir"}),
    ("a directory for a directory", "/srv/dir", {"wanted": "dir"}, {"kind": "directory", "in_the_way": ""}),
    ("a file for a directory", "/srv/file", {"wanted": "dir"}, {"kind": "file", "in_the_way": "/srv/file"}),
    ("a link to a directory", "/srv/link/x", {}, {"exists": False, "nearest_parent": "/srv/link", "in_the_way": ""}),
    ("its mode", "/srv/file", {}, {"mode": "0640", "read_only": False, "noexec": False}),
    ("a pipe", "/srv/pipe", {}, {"kind": "other"}),
]


@cases(PATHS)
def test_path(tmp_path: Path, path: str, about: dict[str, str], expected: dict[str, Any]) -> None:
    write(tmp_path, {"/srv/file": "x", "/srv/dir": None})
    (tmp_path / "srv/file").chmod(0o640)
    (tmp_path / "srv/link").symlink_to("dir")
    os.mkfifo(tmp_path / "srv/pipe")
    seen = value("disk.path", Host(root=str(tmp_path)), path=path, **about)
    assert {name: seen[name] for name in expected} == expected
    assert seen["owner"] == pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize("path", ["srv/app", "/srv/../etc", "/srv//app", "/srv/app/", "/srv/a\0b"])
def test_a_path_that_is_not_plain(tmp_path: Path, path: str) -> None:
    assert ask("disk.path", Host(root=str(tmp_path)), path=path).outcome is Outcome.UNKNOWN


IMMUTABLE = [
    ("nothing is", {}, False),
    ("the path", {"file": 0x10}, True),
    ("its directory", {"srv": 0x80010}, True),
    ("another flag", {"file": 0x80000, "srv": 0x80000}, False),
    ("a file system without flags", {"file": None, "srv": None}, None),
]


@cases(IMMUTABLE)
def test_immutable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: dict[str, int | None], expected: bool | None
) -> None:
    write(tmp_path, {"/srv/file": "x"})
    monkeypatch.setattr("agentdoctor.probes.disk._flags", lambda place: flags.get(os.path.basename(place), 0))
    assert value("disk.path", Host(root=str(tmp_path)), path="/srv/file")["immutable"] is expected


def test_flags_of_a_real_file_system(tmp_path: Path) -> None:
    """Whatever it keeps, a new file is not immutable, and a device is not opened for it."""
    assert not (_flags(str(tmp_path)) or 0) & 0x10
    assert _flags("/dev/null") is None


def test_a_path_of_this_machine() -> None:
    """As the agent sees it where it runs, as we do where it does not."""
    assert value("disk.path", Host(), path="/etc/hostname")["exists"] is True


SAID = [
    (
        "mounts",
        "disk.mounts",
        {"read_only": ["/a", "/b"], "noexec": ["/b"]},
        "/a and /b mounted read-only; /b mounted noexec",
    ),
    ("nothing about mounts", "disk.mounts", {"read_only": [], "noexec": []}, ""),
    (
        "a path",
        "disk.path",
        {"nearest_parent": "/srv", "owner": "root", "mode": "0755", "immutable": True, "read_only": True},
        "/srv belongs to root, mode 0755, immutable and mounted read-only",
    ),
]


@cases(SAID)
def test_words(name: str, seen: dict[str, Any], said: str) -> None:
    assert tell(name, seen) == said


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
def test_a_place_that_is_read_only_for_the_agent_alone(tmp_path: Path, alone: None) -> None:
    """As under ReadOnlyPaths= of its unit: everybody else may write there."""
    script = (
        f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path} && echo ready"
        ' && exec -a "codedeploy-agent: master $$" sleep 60'
    )
    command = ["unshare", "--mount", "bash", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        try:
            if agent.stdout.readline() != "ready\n":
                pytest.skip("no mounts may be made here")
            while f"master {agent.pid}".encode() not in Path(f"/proc/{agent.pid}/cmdline").read_bytes().split(b"\0")[0]:
                assert agent.poll() is None
            seen = value("disk.path", Host(), path=str(tmp_path))
        finally:
            agent.kill()
    assert os.statvfs(tmp_path).f_flag & os.ST_RDONLY == 0
    assert seen["read_only"] is True
