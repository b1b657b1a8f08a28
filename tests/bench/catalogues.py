"""Settings and rule folders for runs with other catalogues than the shipped one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from agentdoctor.model import Rule


def settings(folder: Path, name: str, **values: Any) -> Path:
    """A settings file with these values."""
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def grown(folder: Path, rules: Sequence[Rule], total: int) -> Path:
    """A folder of site rules that brings the shipped ones to ``total``; returns it.

    Each is a copy of a shipped rule, samples and all, that looks for the same text after a word of its own: as large,
    as hard to read, and as rare a sight as the original.
    """
    directory = folder / f"rules-{total}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    originals = [rule for rule in rules if rule.signature]
    for number in range(total - len(rules)):
        rule = originals[number % len(originals)]
        document = yaml.safe_load(Path(rule.origin).read_text(encoding="utf-8"))
        document["signature"]["any"] = [rf"\bvariant{number:04}x: {pattern}" for pattern in rule.patterns]
        path = directory / f"{rule.id}-variant-{number:04}.yaml"
        path.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, width=200), encoding="utf-8")
    return directory
