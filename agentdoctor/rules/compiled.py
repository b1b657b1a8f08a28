"""The shipped rules as JSON, which loads in a tenth of the time of their YAML; made by ``make rules``.

A test keeps both equal. Samples stay in the YAML: nothing that
looks at a host needs them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from agentdoctor import patterns, probes
from agentdoctor.model import Recovery, Rule, Severity, Signature, Step

PATH = Path(__file__).parent / "catalogue.json"


def load() -> tuple[Rule, ...]:
    """The shipped rules without their samples. What was found out about their patterns is made known too."""
    catalogue = json.loads(PATH.read_text(encoding="utf-8"))
    for pattern, (words, needle) in catalogue["patterns"].items():
        patterns.KNOWN[pattern] = (frozenset(word.encode() for word in words), needle)
    for name, (source, live, about, network, also) in catalogue["probes"].items():
        probes.declare(name, source, live, tuple(about), network, tuple(also))
    return tuple(_rule(fields) for fields in catalogue["rules"])


def _rule(fields: dict[str, Any]) -> Rule:
    fields["origin"] = str(PATH.parent / f"{fields['id']}.yaml")
    fields["severity"] = Severity(fields["severity"])
    fields["latent"] = Severity(fields["latent"]) if fields["latent"] else None
    fields["remediation"] = tuple(Step(**_tuples(step)) for step in fields["remediation"])
    fields["recovery"] = Recovery(**_tuples(fields["recovery"]))
    fields["signature"] = Signature(**_tuples(fields["signature"])) if fields["signature"] else None
    return Rule(**_tuples(fields))


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists where the rules have tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}


def dump(rules: tuple[Rule, ...]) -> str:
    """The rules as JSON text."""
    used = sorted({pattern for rule in rules for pattern in (*rule.patterns, *rule.recovery.any)})
    found = {pattern: (patterns.words(pattern), patterns.needle(pattern)) for pattern in used}
    known = {pattern: (sorted(word.decode() for word in words), needle) for pattern, (words, needle) in found.items()}
    asked = map(probes.find, probes.names())
    flags = {one.name: (one.source, one.live, one.about, one.network, one.also) for one in asked}
    catalogue = {"patterns": known, "probes": flags, "rules": [_fields(rule) for rule in rules]}
    return json.dumps(catalogue, indent=1, ensure_ascii=False) + "\n"


def _fields(rule: Rule) -> dict[str, Any]:
    fields = asdict(replace(rule, samples=()))
    del fields["origin"], fields["samples"]
    fields["severity"] = rule.severity.value
    fields["latent"] = rule.latent.value if rule.latent else None
    return fields
