"""What lint says of one place in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agentdoctor.appspec.reading import Node
from agentdoctor.appspec.values import Value
from agentdoctor.model import Severity

# What may run the deployment: agent 1.x under a Ruby up to 3.0 or from 3.1, or agent 2.x, which needs no Ruby.
RUBY_30, RUBY_31, RUST = "1.8 with Ruby up to 3.0", "1.8 with Ruby 3.1 and later", "2.x"
TARGETS = (RUBY_30, RUBY_31, RUST)
RUBIES = (RUBY_30, RUBY_31)


def named(targets: Sequence[str]) -> str:
    """Targets in few words."""
    if set(RUBIES) <= set(targets):
        return ", ".join(["agent 1.8", *(f"agent {target}" for target in targets if target not in RUBIES)])
    return ", ".join(f"agent {target}" for target in targets)


@dataclass(frozen=True)
class Problem:
    """A rule that holds at a place: ``line`` and ``column`` count from 1, 0 where the whole file is meant.

    ``text`` says what is wrong with this very value; cause and cure stand in the rule. ``critical``: the agents of
    ``targets`` refuse it, or fail with it for certain. ``allowed`` is the reason for which somebody allows it.
    """

    rule: str
    text: str
    line: int = 0
    column: int = 0
    path: str = ""
    severity: Severity = Severity.CRITICAL
    targets: tuple[str, ...] = TARGETS
    allowed: str = ""
    here: bool = False  # an instance was asked, so what is done there counts too
    details: Mapping[str, str] = field(default_factory=dict)  # what the words of the rule have a place for


def at(value: Value, rule: str, text: str) -> Problem:
    """What the agents refuse where a value is written."""
    return Problem(rule, text, value.line, value.column)


def regret(place: Value | Node, rule: str, text: str, targets: tuple[str, ...] = TARGETS, **details: str) -> Problem:
    """What the agents take and the user will regret."""
    return Problem(
        rule, text, place.line, place.column, severity=Severity.WARNING, targets=targets, details=dict(details)
    )
