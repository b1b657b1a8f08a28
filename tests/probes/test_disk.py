"""The disk probe: a table of file systems, and the real one below a temporary directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook
from agentdoctor.probes.disk import UNLIMITED, least, nearest

from .conftest import cases, value, write

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
