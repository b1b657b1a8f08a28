"""What systemd knows about the agent's service."""

from __future__ import annotations

from agentdoctor.probes import CannotLook, Look, Values, probe

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
}
_NUMBERS = {"restarts": "NRestarts", "main_pid": "MainPID"}
_STAMPS = ("ExecMainStartTimestamp", "ActiveEnterTimestamp")


@probe("unit.state", source="systemd")
def state(look: Look) -> Values:
    """The unit's properties, in the words of systemctl(1): texts, and ``restarts`` and ``main_pid`` as numbers.

    ``started`` is systemd's own stamp, in local time, "" when it never started. ``source_path`` names the init
    script a unit was generated from, as on Ubuntu with agent 1.x. A property that this systemd does not have
    (NRestarts before 235) is None.
    """
    found = _properties(_ask(look))
    values: Values = {name: found.get(key) for name, key in _TEXTS.items()}
    for name, key in _NUMBERS.items():
        number = found.get(key, "")
        values[name] = int(number) if number.isdecimal() else None
    values["started"] = next((found[key] for key in _STAMPS if found.get(key, "n/a") != "n/a" and found[key]), "")
    return values


def _ask(look: Look) -> str:
    wanted = ",".join([*_TEXTS.values(), *_NUMBERS.values(), *_STAMPS])
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
