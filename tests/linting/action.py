"""The steps of action.yml, taken out of it and run as the runner of GitHub runs them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((TOP / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
# How it starts a step with "shell: bash" (workflow syntax, jobs.<job_id>.steps[*].shell).
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")


def environment(step: Mapping[str, Any], inputs: Mapping[str, str], checkout: str) -> dict[str, str]:
    """The variables of a step, with its expressions as the runner fills them in. KeyError for an unknown input."""
    values = {f"inputs.{name}": str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
    for name, value in inputs.items():
        assert f"inputs.{name}" in values, name
        values[f"inputs.{name}"] = value
    values["github.action_path"] = checkout
    return {name: _EXPRESSION.sub(lambda found: values[found[1]], text) for name, text in step["env"].items()}
