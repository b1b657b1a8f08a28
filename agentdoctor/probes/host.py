"""Which programs are on the host that the agent calls."""

from __future__ import annotations

import os

from agentdoctor.host import Host
from agentdoctor.probes import Look, Values, probe

# Where a service looks; what a login shell adds (rvm, rbenv) the agent does not see.
PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
COMMANDS = ("gdebi", "restorecon", "ruby", "semanage", "setfacl", "sudo", "tar", "unzip")


@probe("host.commands", source="disk")
def commands(look: Look) -> Values:
    """Of each of COMMANDS whether it is on the path of a service and may be executed."""
    return {name: _present(look.host, name) for name in COMMANDS}


def _present(host: Host, name: str) -> bool:
    places = (host.path(f"{folder}/{name}") for folder in PATH)
    return any(os.path.isfile(place) and os.access(place, os.X_OK) for place in places)
