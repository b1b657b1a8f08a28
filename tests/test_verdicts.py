"""Every rule with evidence: confirmed by what it asks for, ruled out by any other value, else left open."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping
from typing import Any

import pytest
from test_doctor import asking

from agentdoctor import rules as catalogue
from agentdoctor.doctor import Doctor
from agentdoctor.evidence import weigh
from agentdoctor.grammars import Source, every_entry
from agentdoctor.logs import read_as
from agentdoctor.model import Check, Finding, Outcome, Rule, State, Verdict
from agentdoctor.rules.lint import _GRAMMARS

RULES = {rule.id: rule for rule in catalogue.from_sources() if rule.confirm}
Shown = dict[str, dict[str, Any]]


def _mapping(wanted: Any) -> Mapping[str, Any]:
    return wanted if isinstance(wanted, Mapping) else {}


def right(wanted: Any) -> Any:
    """A value that is as a rule wants it."""
    if isinstance(wanted, list):
        return wanted[0]
    if not isinstance(wanted, Mapping):
        return wanted
    if "not" in wanted and not {"min", "max"} & set(wanted):
        return ["something"] if isinstance(wanted["not"], list) else "something"
    return wanted.get("min", wanted.get("max"))


def wrong(wanted: Any) -> Any:
    """A value that contradicts it."""
    if isinstance(wanted, bool):
        return not wanted
    if isinstance(wanted, Mapping):
        if "not" in wanted:
            return wanted["not"]
        return wanted["min"] - 1 if "min" in wanted else wanted["max"] + 1
    return "something else" if isinstance(wanted, (str, list)) else wanted + 1


def shown(way: Mapping[str, Mapping[str, Any]]) -> Shown:
    """What the probes say of a host that is as one proof wants it."""
    return {probe: {name: right(wanted) for name, wanted in fields.items()} for probe, fields in way.items()}


def judge(rule: Rule, host: Mapping[str, Any]) -> tuple[Finding | None, Check]:
    """The finding of one rule and its row, of a log that shows its symptom where it has one."""
    doctor = Doctor([rule])
    sample = next((sample for sample in rule.samples if sample.match), None)
    for _ in range(rule.signature.times if rule.signature else 0):
        assert sample is not None
        _read(doctor, sample.text, sample.log)
    ask = asking(host)
    findings = doctor.findings(1000.0, ask)
    (check,) = doctor.checks(findings, {"agent", "journal", "update", "deployment", "scripts"}, ask)
    return next(iter(findings), None), check


def _read(doctor: Doctor, text: str, log: str) -> None:
    for record in read_as(every_entry(_GRAMMARS[log]), io.BytesIO(text.encode()), Source("sample"), doctor.wanted):
        doctor.observe(record)


WAYS = [(rule, number) for rule in RULES.values() for number in range(len(rule.confirm))]
FIELDS = [
    (rule, probe, name)
    for rule in RULES.values()
    if len(rule.confirm) == 1 and rule.rules_out
    for probe, fields in rule.confirm[0].items()
    for name in fields
]
PROBES = [(rule, probe) for rule in RULES.values() if len(rule.confirm) == 1 for probe in rule.confirm[0]]


@pytest.mark.parametrize(("rule", "number"), WAYS, ids=lambda x: getattr(x, "id", str(x)))
def test_all_of_one_proof_confirms(rule: Rule, number: int) -> None:
    """Each way to prove it, by itself."""
    assert weigh(rule, {}, asking(shown(rule.confirm[number])), Verdict.UNVERIFIED).verdict is Verdict.CONFIRMED


@pytest.mark.parametrize(("rule", "probe", "name"), FIELDS, ids=lambda x: getattr(x, "id", x))
def test_one_other_value_rules_it_out(rule: Rule, probe: str, name: str) -> None:
    """With the value that does, in words; what was logged is then no longer active."""
    host = shown(rule.confirm[0])
    host[probe][name] = wrong(rule.confirm[0][probe][name])
    weighed = weigh(rule, {}, asking(host), Verdict.UNVERIFIED)
    finding, check = judge(rule, copy.deepcopy(host))

    assert weighed.verdict is Verdict.RULED_OUT
    assert weighed.because
    assert finding is None or finding.state in (State.QUIET, State.RECOVERED)
    assert check.outcome is Outcome.PASS


RANGES = [
    (rule, probe, name) for rule, probe, name in FIELDS if {"min", "max"} & set(_mapping(rule.confirm[0][probe][name]))
]


@pytest.mark.parametrize("value", ["7", [7], float("nan"), float("inf")], ids=repr)
@pytest.mark.parametrize(("rule", "probe", "name"), RANGES, ids=lambda x: getattr(x, "id", x))
def test_what_is_no_number_tells_nothing(rule: Rule, probe: str, name: str, value: object) -> None:
    """A snapshot may say anything: it neither proves nor contradicts."""
    host = shown(rule.confirm[0])
    host[probe][name] = value
    weighed = weigh(rule, {}, asking(host), Verdict.UNVERIFIED)

    assert weighed.verdict is Verdict.UNVERIFIED
    assert f"{probe}: does not say {name}" in weighed.why_not()


@pytest.mark.parametrize(("rule", "probe"), PROBES, ids=lambda x: getattr(x, "id", x))
def test_what_is_not_known_leaves_it_open(rule: Rule, probe: str) -> None:
    """Neither confirmed nor well: a check of the host becomes unknown, what was logged stays active."""
    host: dict[str, Any] = {**shown(rule.confirm[0]), probe: "nobody may look"}
    finding, check = judge(rule, host)

    assert finding is None or (finding.state, finding.verdict) == (State.ACTIVE, Verdict.UNVERIFIED)
    if rule.signature is None:
        assert check.outcome is Outcome.UNKNOWN
        assert "nobody may look" in check.reason
