"""The agent's own configuration file: would the agent take it?"""

from __future__ import annotations

from typing import Any

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe


@probe("config.agent", source="disk", live=False)
def agent(look: Look) -> Values:
    """``{path, valid, problem}`` by the agent's own rules (process_manager config.rb:22-93, config.rb:52-59).

    ``problem`` says in words what the agent refuses; "" when it takes the file. No file at all is for other
    checks to judge: 2.x works without one.
    """
    path = next((path for path in layout.CONFIGURATION if look.host.exists(path)), "")
    if not path:
        raise CannotLook("there is no configuration file", skip=True)
    problem = _problem(look.host, look.host.read(path))
    return {"path": path, "valid": not problem, "problem": problem}


def _problem(host: Host, text: str) -> str:
    import yaml

    try:
        # Ruby's reader is libyaml too, and takes the first document only.
        data = next(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
        return f"{getattr(error, 'problem', None) or 'not YAML'}{where}"
    if not isinstance(data, dict):
        return "it is not a map of keys and values"
    values = {str(key).lstrip(":"): value for key, value in data.items()}
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
