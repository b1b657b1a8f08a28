"""The agent's own files of settings, read as the agent reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook


def path(host: Host) -> str:
    """The configuration file that the agent reads, "" where there is none."""
    return next((path for path in layout.CONFIGURATION if host.exists(path)), "")


# A file as it is shipped: flat, and nothing that YAML could read in two ways. To load a YAML reader takes a fifth of
# the time of a whole check.
_KEY = r":?(?!(?:true|false|yes|no|on|off|null)\b)[a-z]\w{2,60}"
_WORD = r"(?!(?:true|false|yes|off|null)\b)[a-z][a-z-]{2,60}"
_VALUE = rf"true|false|{_WORD}|0|[1-9]\d{{0,8}}|'[^'\n]*'|\"[^\"\\\n]*\"|/[\w./-]*"
_FLAT = re.compile(rf"(?:---\n)?(?:(?:#[^\n]*|{_KEY}:(?: +(?:{_VALUE}))? *)?\n)*", re.ASCII)
_LINE = re.compile(rf"^({_KEY}):(?: +({_VALUE}))? *$", re.MULTILINE | re.ASCII)


SLACK = 2.0  # seconds; the kernel rounds the start of a process, and its idea of the boot moves with the clock


class NotYaml(ValueError):
    """A file that is no YAML: what is wrong, and where."""


def first_document(text: str) -> Any:
    """What YAML text holds. Ruby's reader is libyaml too, and takes the first document only. NotYaml."""
    flat = {key: _scalar(value) for key, value in _LINE.findall(text)} if _FLAT.fullmatch(text) else {}
    if flat:
        return flat
    import yaml

    try:
        return next(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise NotYaml(f"{getattr(error, 'problem', None) or 'not YAML'}{where}") from None


def _scalar(text: str) -> Any:
    if text[:1] in ("'", '"'):
        return text[1:-1]
    return {"true": True, "false": False, "": None}.get(text, int(text) if text.isdigit() else text)


def without_colons(data: dict[Any, Any]) -> dict[str, Any]:
    """Keys with and without a leading colon are the same to the agent."""
    return {str(key).lstrip(":"): value for key, value in data.items()}


def settings(host: Host) -> dict[str, Any]:
    """The agent's settings; {} where there is no file. CannotLook where it is none that the agent takes."""
    found = path(host)
    return mapping(host, found) if found else {}


def mapping(host: Host, absolute: str) -> dict[str, Any]:
    """A file that must be a map. CannotLook quotes nothing of it: it may hold passwords and keys."""
    try:
        data = first_document(host.read(absolute))
    except NotYaml:
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
