"""Where the agent keeps its files on this host: its own configuration, or its defaults."""

from __future__ import annotations

import re
from typing import NamedTuple

from agentdoctor.host import Host

# In the agent's order: the first that is a file is the one it reads (lib/codedeploy-agent.rb:29-38).
CONFIGURATION = ("/etc/codedeploy-agent/conf/codedeployagent.yml", "/opt/codedeploy-agent/conf/codedeployagent.yml")

# The file is a flat map; keys with and without the leading colon are the same to the agent.
_setting = re.compile(r"^:?(\w+):[ \t]+(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^#\n]*?))[ \t]*(?:#.*)?$", re.MULTILINE)


class Layout(NamedTuple):
    """Directories without a slash at their end."""

    log_dir: str = "/var/log/aws/codedeploy-agent"
    root_dir: str = "/opt/codedeploy-agent/deployment-root"
    pid_dir: str = "/opt/codedeploy-agent/state/.pid"
    program_name: str = "codedeploy-agent"
    on_premises_config_file: str = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml"

    @property
    def pid_file(self) -> str:
        return f"{self.pid_dir}/{self.program_name}.pid"

    @property
    def instructions(self) -> str:
        return f"{self.root_dir}/deployment-instructions"


def read(host: Host) -> Layout:
    """The layout of this host. A configuration that is absent or unreadable leaves the defaults."""
    values, defaults = settings(host), Layout()
    names = ("log_dir", "root_dir", "pid_dir", "program_name", "on_premises_config_file")
    return Layout(**{name: values.get(name, "").rstrip("/") or getattr(defaults, name) for name in names})


def settings(host: Host) -> dict[str, str]:
    """What the agent's configuration says, each value as its text; nothing when it is absent or unreadable."""
    for path in CONFIGURATION:
        try:
            found = _setting.findall(host.read(path))
        except OSError:
            continue
        return {key: (double or single or plain).strip() for key, double, single, plain in found}
    return {}
