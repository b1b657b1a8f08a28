"""The agent's own configuration file: would the agent take it?"""

from __future__ import annotations

from typing import Any

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, _configuration, probe


@probe("config.agent", source="disk", live=False)
def agent(look: Look) -> Values:
    """``{path, valid, problem}`` by the agent's own rules (process_manager config.rb:22-93, config.rb:52-59).

    ``problem`` says in words what the agent refuses; "" when it takes the file. No file at all is for other
    checks to judge: 2.x works without one.
    """
    path = _configuration.path(look.host)
    if not path:
        raise CannotLook("there is no configuration file", skip=True)
    problem = _problem(look.host, look.host.read(path))
    return {"path": path, "valid": not problem, "problem": problem}


def _problem(host: Host, text: str) -> str:
    import yaml

    try:
        data = _configuration.first_document(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
        return f"{getattr(error, 'problem', None) or 'not YAML'}{where}"
    if not isinstance(data, dict):
        return "it is not a map of keys and values"
    values = _configuration.without_colons(data)
    return _values(values) or _directories(host, values)


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
