"""The report for machines."""

from __future__ import annotations

import json
from importlib import resources

from agentdoctor.report import Run, document


def render(run: Run) -> str:
    """One JSON document of schema agentdoctor.report/1."""
    return json.dumps(document(run), indent=2, ensure_ascii=True) + "\n"


def schema() -> str:
    """The JSON Schema of the report."""
    return resources.files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
