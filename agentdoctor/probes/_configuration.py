"""The agent's own files of settings, read as the agent reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook


def path(host: Host) -> str:
    """The configuration file that the agent reads, "" where there is none."""
    return next((path for path in layout.CONFIGURATION if host.exists(path)), "")


def first_document(text: str) -> Any:
    """What YAML text holds. Ruby's reader is libyaml too, and takes the first document only. yaml.YAMLError."""
    import yaml

    return next(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), None)


def without_colons(data: dict[Any, Any]) -> dict[str, Any]:
    """Keys with and without a leading colon are the same to the agent."""
    return {str(key).lstrip(":"): value for key, value in data.items()}


def settings(host: Host) -> dict[str, Any]:
    """The agent's settings; {} where there is no file. CannotLook where it is none that the agent takes."""
    found = path(host)
    return mapping(host, found) if found else {}


def mapping(host: Host, absolute: str) -> dict[str, Any]:
    """A file that must be a map. CannotLook quotes nothing of it: it may hold passwords and keys."""
    import yaml

    try:
        data = first_document(host.read(absolute))
    except yaml.YAMLError:
        raise CannotLook(f"{absolute} is not YAML") from None
    if not isinstance(data, dict):
        raise CannotLook(f"{absolute} is not a map of keys and values")
    return without_colons(data)


def text(values: Mapping[str, Any], key: str) -> str:
    """A setting that is a text, "" if it is absent or something else."""
    value = values.get(key)
    return value.strip() if isinstance(value, str) else ""


def is_on(values: Mapping[str, Any], key: str) -> bool:
    """Whether Ruby takes a setting for true: everything but false and nothing is."""
    return values.get(key) is not None and values[key] is not False
