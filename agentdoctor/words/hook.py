"""Words for what ``probes/hook.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _exists(value: Mapping[str, Any]) -> str:
    if value.get("exists"):
        return "the script is in the revision"
    near = value.get("near")
    return f"the revision does not hold the script, but {near}" if near else "the revision does not hold the script"


def _crlf(value: Mapping[str, Any]) -> str:
    if value.get("crlf_first"):
        return "the first line of the script ends in CR LF"
    return "lines of the script end in CR LF" if value.get("crlf") else "no line of the script ends in CR LF"


def _interpreter(value: Mapping[str, Any]) -> str:
    there = "is there" if value.get("interpreter_exists") else "does not exist"
    return f"the interpreter {value.get('shebang')} {there}"


def _kind(value: Mapping[str, Any]) -> str:
    if value.get("kind") == "elf":
        return "the script is a binary program"
    if value.get("bom"):
        return "the script begins with a byte order mark"
    first = value.get("shebang")
    return f"the first line of the script is #!{first}" if first else "the script does not begin with #!"


def _executable(value: Mapping[str, Any]) -> str:
    return f"the script has {'an' if value.get('executable') else 'no'} execute bit"


def _run(value: Mapping[str, Any]) -> str:
    if not value.get("started"):
        return f"the agent never started the script in that event, by {value['log']}"
    return f"the agent started the script, by {value['log']}"


def _group(value: Mapping[str, Any]) -> str:
    return f"its deployment group is {value['group_id']}"


def _followed(value: Mapping[str, Any]) -> str:
    if value.get("started") is False:
        return _run(value)
    if value.get("followed"):
        return f"after it the event went on with {value['after']}, so it had ended well"
    return "the event ended with this script"


def _space(value: Mapping[str, Any]) -> str:
    return f"the location of the script has {'a' if value.get('has_space') else 'no'} blank in it"


def _script(value: Mapping[str, Any]) -> str:
    if value.get("executable") is None:
        return ""
    return f"{_executable(value)}, and {_kind(value).removeprefix('the script ')}"


PHRASES: dict[str, Phrase] = {
    "hook.run.started": _run,
    "hook.run.followed": _followed,
    "hook.run.group_id": _group,
    "hook.script": _script,
    "hook.script.exists": _exists,
    "hook.script.crlf": _crlf,
    "hook.script.crlf_first": _crlf,
    "hook.script.interpreter_exists": _interpreter,
    "hook.script.kind": _kind,
    "hook.script.executable": _executable,
    "hook.script.has_space": _space,
}
STATED = {
    "hook.run.started": ("the agent started the script", "the agent did not start the script in that event"),
    "hook.run.group_id": ("its deployment group is known", "its deployment group is not known"),
    "hook.run.followed": ("another script of the event ran after it", "the event ended with this script"),
    "hook.script.exists": ("the revision holds the script", "the revision does not hold the script"),
    "hook.script.crlf": ("a line of the script ends in CR LF", "no line of the script ends in CR LF"),
    "hook.script.crlf_first": (
        "the first line of the script ends in CR LF",
        "the first line of the script does not end in CR LF",
    ),
    "hook.script.interpreter_exists": (
        "the program that the script's first line names is there",
        "the program that the script's first line names is not there",
    ),
    "hook.script.executable": ("the script has an execute bit", "the script has no execute bit"),
    "hook.script.has_space": (
        "the location of the script has a blank in it",
        "the location of the script has no blank in it",
    ),
}
NAMED = {
    "hook.script.kind": "the kind of file that the script is (script: it begins with #!)",
}
