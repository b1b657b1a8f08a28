"""What systemd knows about the agent's service, and what a restart of it would end."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._cgroup import command, members
from agentdoctor.probes._tracking import ongoing
from agentdoctor.probes.package import PROGRAM
from agentdoctor.probes.process import Seen, check_sight, classify, see

UNIT = "codedeploy-agent.service"
_TEXTS = {
    "load_state": "LoadState",
    "active_state": "ActiveState",
    "sub_state": "SubState",
    "result": "Result",
    "kill_mode": "KillMode",
    "restart": "Restart",
    "unit_file_state": "UnitFileState",
    "fragment_path": "FragmentPath",
    "source_path": "SourcePath",
    "control_group": "ControlGroup",
    "wanted_by": "WantedBy",
}
_NUMBERS = {"restarts": "NRestarts", "main_pid": "MainPID"}
_STAMPS = ("ExecMainStartTimestamp", "ActiveEnterTimestamp")


@probe("unit.state", source="systemd")
def state(look: Look) -> Values:
    """The unit's properties, in the words of systemctl(1): texts, and ``restarts`` and ``main_pid`` as numbers.

    ``started`` is systemd's own stamp, in UTC, "" when it never started, and ``started_at`` the same in seconds
    since the epoch or None. ``source_path`` names the init script a unit was generated from, as on Ubuntu with
    agent 1.x; ``wanted_by`` is "" when no target starts it, the mark of such a unit that was disabled.
    ``need_daemon_reload``: its files are newer than what systemd has read. A property that this systemd does not
    have (NRestarts before 235) is None.
    """
    found = _properties(_ask(look))
    values: Values = {name: found.get(key) for name, key in _TEXTS.items()}
    for name, key in _NUMBERS.items():
        number = found.get(key, "")
        values[name] = int(number) if number.isdecimal() else None
    values["started"] = next((found[key] for key in _STAMPS if found.get(key, "n/a") != "n/a" and found[key]), "")
    values["started_at"] = _epoch(values["started"])
    values["need_daemon_reload"] = {"yes": True, "no": False}.get(found.get("NeedDaemonReload", ""))
    return values


def _epoch(stamp: str) -> float | None:
    """Seconds since the epoch of ``Thu 2026-11-22 20:46:55 UTC``, the form of every systemd whose TZ is UTC.

    systemctl --timestamp=unix would say it outright, from systemd 247 on; Ubuntu 20.04 has 245.
    """
    found = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", stamp, re.ASCII)
    if not found:
        return None
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc).timestamp()


def _ask(look: Look) -> str:
    wanted = ",".join([*_TEXTS.values(), *_NUMBERS.values(), *_STAMPS, "NeedDaemonReload"])
    try:
        done = look.host.run(["systemctl", "show", UNIT, "-p", wanted], timeout=1.6)
    except FileNotFoundError:
        raise CannotLook("systemctl is not on this host") from None
    if done.returncode != 0 or not done.stdout.strip():
        first = (done.stderr.strip() or "no output").splitlines()[0]
        raise CannotLook(f"systemctl: {first}")
    return done.stdout


def _properties(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value for key, equals, value in pairs if equals}


_SPARED = ("process", "none")  # systemd.kill(5): with these a stop ends the main process or nothing
_NAMES = 5


@probe("unit.restart_risk", source="systemd")
def restart_risk(look: Look) -> Values:
    """``{kill_mode, others, names, kills, deploying, deployment, safe}``: what a restart of the agent would hit.

    ``others``: how many processes in the unit's control group are not the agent's own, mostly the application
    that its hooks started; ``names`` the commands of the first five, without arguments. ``kills``: how many of
    them a stop of the unit ends, by its KillMode. ``deployment``: the id of the one at work, "" if there is none.
    None for what could not be learned; ``safe`` then too, unless the rest is risk enough.
    """
    unit = look.value("unit.state")
    mode = unit.get("kill_mode")
    others = _others(look.host, unit.get("control_group"))
    kills = 0 if mode in _SPARED or not others else len(others) if mode else None
    deployment = _deployment(look.host)
    deploying = None if deployment is None else bool(deployment)
    return {
        "kill_mode": mode,
        "others": len(others),
        "names": list(dict.fromkeys(command(seen.pid) for seen in others))[:_NAMES],
        "kills": kills,
        "deploying": deploying,
        "deployment": deployment,
        "safe": False if kills or deploying else None if kills is None or deploying is None else True,
    }


def _deployment(host: Host) -> str | None:
    try:
        return ongoing(host)
    except OSError:
        return None


def _others(host: Host, group: str | None) -> list[Seen]:
    """The processes of a control group that are not the agent's own. A unit that is stopped has none."""
    if group is None:
        raise CannotLook("this systemd does not say the unit's control group")
    pids = members(host, group) if group else []
    found = [seen for pid in pids if (seen := see(pid))]
    if len(found) < len(pids):
        check_sight()  # what ended, or a zombie, is nothing to lose; what is hidden may be
    program = layout.read(host).program_name
    own = {seen.pid for seen in found if _is_agent(seen, program)}
    return [seen for seen in found if seen.pid not in own]


def _is_agent(seen: Seen, program: str) -> bool:
    """Master and worker, a child of 1.x that still boots, and the shell or the command that starts or stops it."""
    title = " ".join(seen.cmdline)
    return classify(seen, program) is not None or title.startswith(f"{program}: ") or PROGRAM in title
