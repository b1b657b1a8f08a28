"""A small host of our own: 169.254.169.254 is ours, an agent stands in, and ``agentdoctor check`` prints its JSON.

Started in fresh network, mount and process namespaces:
in_namespace.py BEHAVIOUR AGENT [LOG]   BEHAVIOUR: well, no-profile, token-403, late-clock, refuse, swallow
                                        AGENT: running, stopped, stale-pid, absent
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from probes.imds_server import Imds, Server

ADDRESS = "169.254.169.254"
LOGS = Path("/var/log/aws/codedeploy-agent")
PROGRAM = Path("/opt/codedeploy-agent/bin/codedeploy-agent")
UNITS = {
    "running": ("loaded", "active", "running"),
    "stopped": ("loaded", "inactive", "dead"),
    "stale-pid": ("loaded", "active", "exited"),
    "absent": ("not-found", "inactive", "dead"),
}


def ip(*arguments: str) -> None:
    """Change the network of this namespace."""
    subprocess.run(["ip", *arguments], check=True)


def serve(behaviour: str) -> None:
    """Start the metadata service, well or broken in one way."""
    ip("link", "set", "lo", "up")
    if behaviour == "swallow":  # a device that takes every packet and answers none
        ip("link", "add", "hole", "type", "veth", "peer", "name", "bottom")
        ip("link", "set", "hole", "up")
        ip("link", "set", "bottom", "up")
        ip("addr", "add", "169.254.1.1/16", "dev", "hole")
        ip("neigh", "add", ADDRESS, "lladdr", "02:00:00:00:00:01", "dev", "hole")
        return
    ip("addr", "add", f"{ADDRESS}/32", "dev", "lo")
    if behaviour == "refuse":
        return
    imds = Imds()
    if behaviour == "no-profile":
        imds.without_profile()
    if behaviour == "token-403":
        imds.token_status, imds.v1 = 403, 401
    if behaviour == "late-clock":
        imds.date = time.time() + 3600
    Server(imds, ADDRESS, 80)


def install(agent: str, log: str) -> None:
    """Put the agent's program, unit, processes and log in their places; nothing of it is seen outside."""
    for place in ("/opt", "/var/log"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    commands = Path("/opt/commands")
    commands.mkdir()
    load, active, sub = UNITS[agent]
    (commands / "systemctl").write_text(
        f"#!/bin/sh\necho LoadState={load}\necho ActiveState={active}\necho SubState={sub}\n"
        "echo UnitFileState=generated\necho WantedBy=multi-user.target\n"
    )
    (commands / "systemctl").chmod(0o755)
    os.environ["PATH"] = f"{commands}:{os.environ['PATH']}"
    if agent == "absent":
        return
    PROGRAM.parent.mkdir(parents=True)
    PROGRAM.write_text("#!/usr/bin/env ruby\n")
    (PROGRAM.parent.parent / ".version").write_text("agent_version: OFFICIAL_1.8.1-99_deb\n")
    release = PROGRAM.parent / "os-release"  # of an Ubuntu that this agent is tested on
    release.write_text("ID=ubuntu\nVERSION_ID=22.04\n")
    subprocess.run(["mount", "--bind", str(release), "/etc/os-release"], check=True)
    LOGS.mkdir(parents=True)
    if log:
        shutil.copy(log, LOGS / "codedeploy-agent.log")
    if agent == "running":
        title = "codedeploy-agent: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller of master"
        stand_in = f'(exec -a "{title} $$" sleep 300) & exec -a "codedeploy-agent: master $$" sleep 300'
        subprocess.Popen(["bash", "-c", stand_in])
        while b"master" not in b"".join(p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline")):
            time.sleep(0.01)


serve(sys.argv[1])
install(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
if "SNAPSHOT" in os.environ:  # the same host as a file, for another one
    take = ["snapshot", "--since", "36500d", "--output", os.environ["SNAPSHOT"]]
    subprocess.run([sys.executable, "-m", "agentdoctor", *take], check=True, stdout=subprocess.DEVNULL)
sys.exit(
    subprocess.run(
        [sys.executable, "-m", "agentdoctor", "check", "--format", "json", "--since", "36500d"], check=False
    ).returncode
)
