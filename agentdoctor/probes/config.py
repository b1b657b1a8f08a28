"""The agent's own configuration file: would the agent take it, has it read it, and what does it log by it?"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from typing import Any

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, _configuration, probe


@probe("config.agent", source="disk", live=False)
def agent(look: Look) -> Values:
    """``{path, valid, problem}`` by the agent's own rules (process_manager config.rb:22-93, config.rb:52-59).

    ``problem`` says in words what the agent refuses; "" when it takes the file. No file at all is for other
    checks to judge: 2.x works without one. Not all that 2.x refuses is known, so ``valid`` is None for a file that it
    has not started with yet (config/mod.rs of 2.1.0: wrong types and keys that stand twice are fatal).
    """
    path = _path(look.host)
    text = look.host.read(path)
    values, problem = _settings(text)
    if _generation(look) == "2.x":
        problem = problem or _types(values) or _twice(text)
        if not problem and not _taken(look):
            return {"path": path, "valid": None, "problem": "", "reason": "agent 2.x has not started with it yet"}
    else:
        problem = problem or _values(values) or _directories(look.host, values)
    return {"path": path, "valid": not problem, "problem": problem}


def _generation(look: Look) -> str:
    return str((look.ask("package.version").value or {}).get("generation", ""))


def _taken(look: Look) -> bool:
    """Whether the agent runs by this file; of a copied tree nobody knows, which is no reason to doubt it."""
    age_ = look.ask("config.age").value
    return not look.host.live or (age_ is not None and age_["newer_than_process"] is False)


_NUMBERS = ("wait_between_runs", "max_revisions", "http_read_timeout", "kill_agent_max_wait_time_seconds")
_FLAGS = ("log_aws_wire", "verbose", "use_fips_mode", "enable_auth_policy", "disable_imds_v1")


def _types(values: dict[str, Any]) -> str:
    for key in _NUMBERS:
        value = values.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            return f"{key} is {value!r} and must be a whole number"
    for key in _FLAGS:
        if values.get(key) is not None and not isinstance(values[key], bool):
            return f"{key} is {values[key]!r} and must be true or false"
    return ""


def _twice(text: str) -> str:
    """With and without a colon before it a key is the same."""
    keys = re.findall(r"^:?(\w+):(?=\s|$)", text, re.MULTILINE)
    again = next((key for number, key in enumerate(keys) if key in keys[:number]), "")
    return f"{again} stands there twice" if again else ""


def _path(host: Host) -> str:
    path = _configuration.path(host)
    if not path:
        raise CannotLook("there is no configuration file", skip=True)
    return path


def _settings(text: str) -> tuple[dict[str, Any], str]:
    """What the file says by key, without the colons, and "" or why it cannot be read."""
    try:
        data = _configuration.first_document(text)
    except _configuration.NotYaml as error:
        return {}, str(error)
    if not isinstance(data, dict):
        return {}, "it is not a map of keys and values"
    return _configuration.without_colons(data), ""


def _values(values: dict[str, Any]) -> str:
    revisions, children = values.get("max_revisions"), values.get("children")
    if revisions is not None and (isinstance(revisions, bool) or not isinstance(revisions, int) or revisions < 1):
        return f"max_revisions is {revisions!r} and must be a whole number from 1"
    if children is not None and children != 1:
        return f"children is {children!r} and can only be 1"
    return ""


def _directories(host: Host, values: dict[str, Any]) -> str:
    """A log or pid directory that cannot be made, because a file stands in its place."""
    for key in ("log_dir", "pid_dir"):
        place = values.get(key)
        if isinstance(place, str) and place.startswith("/") and host.is_file(place.rstrip("/")):
            return f"{key} {place} is a file"
    return ""


@probe("config.age", source="disk")
def age(look: Look) -> Values:
    """``{path, changed_at, started_at, newer_than_process}``: whether the file was changed after it was read.

    Seconds since the epoch. 1.x reads it in its master (process_manager config.rb:22), 2.x again in each worker
    (main.rs of 2.1.0). ``newer_than_process`` is None for a file from the future, which no restart makes older.
    Skipped where no agent runs.
    """
    path = _path(look.host)
    started = _read_at(look.value("process.agent"))
    if started is None:
        raise CannotLook("no agent runs that could have read it", skip=True)
    changed = os.stat(look.host.path(path)).st_mtime
    slack = _configuration.SLACK
    newer = None if changed > look.host.now() + slack else changed > started + slack
    return {"path": path, "changed_at": changed, "started_at": started, "newer_than_process": newer}


def _read_at(agent: Mapping[str, Any]) -> float | None:
    """When the process that works by the configuration started."""
    if not agent.get("running"):
        return None
    worker: float | None = agent.get("worker_started")
    master: float | None = agent.get("master_started")
    return worker if agent.get("generation") == "2.x" and worker is not None else master


# codedeploy_control.rb:17-26 of 1.8.1 and 2.x write the first; AWS's page for 1.x names the second.
WIRE_LOGS = ("aws_wire.log", "wire.log")


@probe("config.wire_log", source="disk", live=False)
def wire_log(look: Look) -> Values:
    """``{enabled, path, exists, size, readable_by_others}``: the log of everything that is said to AWS.

    ``size`` in bytes, 0 where there is no such file. Any value but false and nothing switches it on in 1.x.
    ``enabled`` is False without a configuration file, None where the file cannot be understood.
    """
    known = layout.read(look.host)
    paths = [f"{known.log_dir}/{known.program_name}.{name}" for name in WIRE_LOGS]
    path = next((path for path in paths if look.host.is_file(path)), "")
    status = os.stat(look.host.path(path)) if path else None
    return {
        "enabled": _wire(look.host),
        "path": path or paths[0],
        "exists": status is not None,
        "size": status.st_size if status else 0,
        "readable_by_others": bool(status and status.st_mode & stat.S_IROTH),
    }


def _wire(host: Host) -> bool | None:
    path = _configuration.path(host)
    values, problem = _settings(host.read(path)) if path else ({}, "")
    return None if problem else values.get("log_aws_wire") not in (None, False)
