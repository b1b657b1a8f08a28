"""Readers of what lint writes for other programs, as strict as those are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema

from agentdoctor.report.lint.json import schema

_SARIF = jsonschema.Draft4Validator(
    json.loads((Path(__file__).parent / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
)


def sarif(text: str) -> dict[str, Any]:
    """The one run of a log that the published schema takes, and whose indexes lead where they should."""
    assert text.isascii()
    log = json.loads(text)
    _SARIF.validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    prints = [tuple(result["partialFingerprints"].values()) for result in run["results"]]
    assert len(set(prints)) == len(prints)
    assert isinstance(run, dict)
    return run


_LINT = jsonschema.Draft202012Validator(json.loads(schema()))


def own(text: str) -> dict[str, Any]:
    """A document of the schema that the program prints, in which there is nothing else."""
    _LINT.check_schema(_LINT.schema)
    document = json.loads(text)
    _LINT.validate(document)
    _known(document, _LINT.schema)
    assert isinstance(document, dict)
    return document


def _known(value: Any, shape: Any) -> None:
    """Every member is described."""
    for one in shape.get("anyOf", [shape]):
        if isinstance(value, dict) and "properties" in one:
            assert set(value) == set(one["properties"])
            for name, member in value.items():
                _known(member, one["properties"][name])
        elif isinstance(value, list) and "items" in one:
            for member in value:
                _known(member, one["items"])


class Command(NamedTuple):
    """A workflow command as the runner understands it."""

    name: str
    properties: dict[str, str]
    message: str


_ESCAPES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def workflow(text: str) -> tuple[list[Command], list[str]]:
    """The commands of a step's output, and its other lines (actions/runner, ActionCommand.cs, TryParseV2)."""
    commands, others = [], []
    for row in text.split("\n")[:-1]:
        if row.lstrip().startswith("::"):
            commands.append(_command(row.lstrip()))
        else:
            assert "##[" not in row, "the runner takes this for a command of the old form"
            others.append(row)
    return commands, others


def _command(row: str) -> Command:
    end = row.index("::", 2)
    name, _, told = row[2:end].partition(" ")
    properties = {}
    for pair in filter(None, told.split(",")):
        key, equals, value = pair.partition("=")
        assert equals
        properties[key] = _unescaped(value, "0D|0A|3A|2C|25")
    return Command(name, properties, _unescaped(row[end + 2 :], "0D|0A|25"))


def _unescaped(text: str, known: str) -> str:
    assert not re.search(f"%(?!{known})", text), text
    return re.sub(f"%(?:{known})", lambda found: _ESCAPES[found[0]], text)
