"""The report for log shippers: one JSON object per line, and each can stand alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agentdoctor.report import Run, document
from agentdoctor.report.json import schema as report_schema

SCHEMA = "agentdoctor.line/1"
_ABOUT_RUN = ("tool", "run", "summary", "self")
_KINDS = {"finding": "findings", "check": "checks", "unexplained": "unexplained"}


def render(run: Run) -> str:
    """A line about the run, then one for each finding, each check and each kind of unexplained error.

    A line has ``schema``, ``kind``, ``run_at`` and ``host``, and beside them what the report has in that place.
    """
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in _rows(document(run)))


def _rows(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield _row(report, "run", {name: report[name] for name in _ABOUT_RUN})
    for kind, place in _KINDS.items():
        yield from (_row(report, kind, entry) for entry in report[place])


def _row(report: Mapping[str, Any], kind: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": kind,
        "run_at": report["run"]["started_at"],
        "host": report["host"],
        **parts,
    }


def schema() -> str:
    """The JSON Schema of a line, made from that of the report."""
    parts = json.loads(report_schema())["properties"]
    run = {"properties": {name: parts[name] for name in _ABOUT_RUN}, "required": list(_ABOUT_RUN)}
    kinds = {"run": run, **{kind: parts[place]["items"] for kind, place in _KINDS.items()}}
    common = {"schema": {"const": SCHEMA}, "run_at": parts["run"]["properties"]["started_at"], "host": parts["host"]}
    shape = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "agentdoctor line",
        "description": "One line of --format jsonl. Changes are additive: readers ignore what they do not know.",
        "type": "object",
        "properties": {**common, "kind": {"enum": list(kinds)}},
        "required": [*common, "kind"],
        "oneOf": [{"allOf": [{"properties": {"kind": {"const": kind}}}, kinds[kind]]} for kind in kinds],
    }
    return json.dumps(shape, indent=1) + "\n"
