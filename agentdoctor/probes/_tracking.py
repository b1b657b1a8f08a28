"""The agent's own note of the deployment at work."""

from __future__ import annotations

import os

from agentdoctor import layout
from agentdoctor.host import Host

YOUNG = 86400.0  # seconds; the agent itself takes an older file for a leftover (deployment_command_tracker.rb)


def ongoing(host: Host) -> str:
    """The id of the deployment whose lifecycle event is at work, "" if none is. OSError if we may not know.

    Both generations keep a file of that name in ``ongoing-deployment`` while an event runs; the newest counts.
    One that a crash left behind counts too, as it does for the agent.
    """
    folder = f"{layout.read(host).root_dir}/ongoing-deployment"
    try:
        names = host.listing(folder)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    times = {}
    for name in names:
        try:
            times[name] = os.stat(host.path(f"{folder}/{name}")).st_mtime
        except FileNotFoundError:
            continue  # it ended just now
    newest = max(times, key=times.__getitem__, default="")
    return newest if newest and host.now() - times[newest] < YOUNG else ""
