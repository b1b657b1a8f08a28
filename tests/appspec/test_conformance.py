"""The agent's own outcome for AppSpecs, on both sides of Ruby 3.1: accepted or refused, and for the same reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdoctor.appspec.finding import RUBIES
from agentdoctor.appspec.reading import read
from agentdoctor.appspec.refusals import reason, refusals
from conftest import CORPUS, shared

OWN = CORPUS / "appspec" / "conformance.jsonl"
COLUMNS = dict(zip(RUBIES, ("ruby_le_3_0", "ruby_ge_3_1"), strict=True))

# A piece of what the agent says, and the rule of that reason; the first that fits counts.
REASONS = (
    ("(<unknown>): ", "appspec-yaml-invalid"),
    ("Unknown alias", "appspec-yaml-unsupported"),
    ("Alias parsing", "appspec-yaml-unsupported"),
    ("Tried to load unspecified class", "appspec-yaml-unsupported"),
    ("was empty", "appspec-empty"),
    ("invalid version value", "appspec-version-invalid"),
    ("unsupported operating system", "appspec-os-unsupported"),
    ("file_exists_behavior", "appspec-file-exists-behavior-invalid"),
    ("no location value", "appspec-hook-invalid"),
    ("invalid timeout value", "appspec-hook-invalid"),
    ("FloatDomainError", "appspec-hook-invalid"),  # a timeout that is .inf or .nan
    ("destination file, but no source", "appspec-files-invalid"),
    ("specifies only a source file", "appspec-files-invalid"),
    ("no object value", "appspec-permissions-invalid"),
    ("object type not supported", "appspec-permissions-invalid"),
    ("permissions mode", "appspec-permissions-invalid"),
    ("acls permission settings", "appspec-acl-invalid"),
    ("access control list", "appspec-acl-invalid"),
    ("invalid context type", "appspec-context-invalid"),
    ("SELinux range", "appspec-context-invalid"),
    ("invalid range part", "appspec-context-invalid"),
    ("invalid sensitivity", "appspec-context-invalid"),
    ("invalid category", "appspec-context-invalid"),
    ("duplicate categories", "appspec-context-invalid"),
    ("undefined method", "appspec-shape-invalid"),
    ("no implicit conversion", "appspec-shape-invalid"),
)


def expected(said: str) -> str:
    """The rule of what the agent said, "" where it took the AppSpec."""
    return "" if said == "ok" else next(rule for words, rule in REASONS if words in said)


def judged(text: str, target: str) -> str:
    """The rule for which we say that the agent refuses it."""
    first = reason(refusals(read(text.encode("utf-8", "surrogateescape"))), target)
    return first.rule if first else ""


def disagreements(path: Path, said: Callable[[object], str]) -> tuple[int, list[str]]:
    """How many verdicts agree in outcome and reason, and those that do not."""
    agree, wrong = 0, []
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        for target, column in COLUMNS.items():
            wanted, given = expected(said(row[column])), judged(row["yaml"], target)
            agree += wanted == given
            wrong += [] if wanted == given else [f"{row['id']} ({target}): {wanted or 'ok'}, not {given or 'ok'}"]
    return agree, wrong


@pytest.mark.parametrize("source", ["the project's own", "the collected ones"])
def test_the_agents_own_verdict(source: str, record_property: Callable[[str, object], None]) -> None:
    """Every AppSpec, every Ruby."""
    if source == "the project's own":
        agree, wrong = disagreements(OWN, str)
    else:
        agree, wrong = disagreements(shared("appspec-conformance.jsonl"), _words)
    record_property("agreements", f"AppSpecs, {source}: {agree} of {agree + len(wrong)} verdicts agree with the agent")
    assert wrong == []
    assert agree >= 2 * 194


def _words(outcome: object) -> str:
    assert isinstance(outcome, dict)
    return "ok" if outcome["outcome"] == "ok" else f"{outcome['class']}: {outcome['message']}"
