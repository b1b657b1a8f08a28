"""Which logs of a host are followed: the agent's three, of both generations, and what the hooks of late print."""

from __future__ import annotations

import os
import re

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.tailing import Family

# Where the installer of 1.x logs, and where everybody may put what they like.
PUBLIC = "/tmp"  # noqa: S108
SCRIPTS_KEPT = 8  # deployments whose hooks are followed, the newest; the agent keeps five revisions of each group


def families(host: Host) -> list[Family]:
    """The logs to follow now, whether they are there yet or not."""
    where = layout.read(host)
    name, rolled = where.program_name, re.escape(where.program_name)
    log_dir, root_dir, public = (host.path(x) for x in (where.log_dir, where.root_dir, PUBLIC))
    return [
        # rolled by the agent itself; or by logrotate, with numbers or with dates, where a site has set that up
        Family("agent", log_dir, f"{name}.log", rf"{rolled}(?:\.\d{{8}}(?:\.\d+)?\.log|\.log(?:\.\d+|-\d{{8}}))"),
        Family(
            "deployment", f"{root_dir}/deployment-logs", f"{name}-deployments.log", rf"{rolled}-deployments\.log\.\d+"
        ),
        Family("update", log_dir, f"{name}-updater.log", rf"{rolled}-updater\.log\.\d+"),
        Family("update", public, f"{name}.update.log", rf"{rolled}\.update\.log\.\d+", public=True),
        *(Family("scripts", directory, "scripts.log") for directory in _hooks(root_dir)),
    ]


def _hooks(root_dir: str) -> list[str]:
    """The log directories of the newest deployments, those first."""
    deployments = (path for group in _below(root_dir) for path in _below(group))
    found = [(_changed(path), f"{path}/logs") for path in deployments if os.path.basename(path).startswith("d-")]
    return [directory for _, directory in sorted(found, reverse=True)[:SCRIPTS_KEPT]]


def _below(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
