"""The probe of commands."""

from __future__ import annotations

from pathlib import Path

from agentdoctor.host import Host
from agentdoctor.probes.host import COMMANDS
from agentdoctor.words import say

from .conftest import value, write


def test_commands(tmp_path: Path) -> None:
    """On the path of a service, and to be executed; a shim of rbenv is neither."""
    write(tmp_path, {"/usr/bin/tar": "", "/usr/local/bin/unzip": "", "/usr/bin/sudo": "", "/usr/sbin/semanage": None})
    write(tmp_path, {"/root/.rbenv/shims/ruby": ""})
    for name in ("usr/bin/tar", "usr/local/bin/unzip", "root/.rbenv/shims/ruby"):
        (tmp_path / name).chmod(0o755)
    (tmp_path / "usr/bin/sudo").chmod(0o644)
    seen = value("host.commands", Host(root=str(tmp_path)))

    assert set(seen) == set(COMMANDS)
    assert {name for name, there in seen.items() if there} == {"tar", "unzip"}


def test_words() -> None:
    assert say("host.commands", "setfacl", False, {"setfacl": False}) == "setfacl is not installed"
