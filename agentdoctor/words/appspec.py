"""Words for what ``probes/appspec.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _yaml(value: Mapping[str, Any]) -> str:
    if value.get("yaml_ok"):
        return "the AppSpec is YAML to us"
    line, column = value.get("line"), value.get("column")
    where = f" at line {line}, column {column}" if line else ""
    return f"the AppSpec is not YAML{where}: {value.get('problem')}"


def _empty(value: Mapping[str, Any]) -> str:
    return "the AppSpec is empty" if value.get("empty") else "the AppSpec is not empty"


def _version(value: Mapping[str, Any]) -> str:
    return f"version is {value['version']!r}" if value.get("version") else "the AppSpec has no version"


def _os(value: Mapping[str, Any]) -> str:
    if value.get("bom"):
        return "the AppSpec begins with a byte order mark"
    return f"os is {value['os']!r}" if value.get("os") else "the AppSpec has no os"


def _key(value: Mapping[str, Any]) -> str:
    if not value.get("key"):
        return "the agent reads every key of the AppSpec that looks like one of its own"
    place = f"in {value['place']}" if value.get("place") else "at the left margin"
    return f"line {value.get('line')} of the AppSpec says {value['key']} {place}, where the agent does not read it"


def _meant(value: Mapping[str, Any]) -> str:
    return f"what it reads is {value['meant']}" if value.get("meant") else _key(value)


def _revision(value: Mapping[str, Any]) -> str:
    return f"the revision is {value['archive']}" if value.get("archive") else _key(value)


PHRASES: dict[str, Phrase] = {
    "appspec.ignored.archive": _revision,
    "appspec.ignored.key": _key,
    "appspec.ignored.meant": _meant,
    "appspec.parsed.empty": _empty,
    "appspec.parsed.os_ok": _os,
    "appspec.parsed.version_ok": _version,
    "appspec.parsed.yaml_ok": _yaml,
}
STATED = {
    "appspec.ignored.archive": (
        "a revision that was unpacked last has such a key",
        "no revision that was unpacked last has such a key",
    ),
    "appspec.ignored.key": (
        "the AppSpec has a key that the agent does not read and somebody meant",
        "the AppSpec has no key that the agent does not read and somebody meant",
    ),
    "appspec.ignored.meant": ("the agent has another key for that", "the agent needs no other key"),
    "appspec.parsed.empty": ("the AppSpec is empty", "the AppSpec is not empty"),
    "appspec.parsed.os_ok": ("os in the AppSpec is linux", "os in the AppSpec is not linux, or hidden"),
    "appspec.parsed.version_ok": ("version in the AppSpec is the number 0.0", "version is not the number 0.0"),
    "appspec.parsed.yaml_ok": ("the AppSpec is YAML", "the AppSpec is not YAML"),
}
