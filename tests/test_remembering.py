"""What the logs showed outlives the process: wherever it is cut, the findings are those of one that went on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from agentdoctor import remembering
from agentdoctor.doctor import Doctor
from agentdoctor.grammars import Source
from agentdoctor.logs import read
from agentdoctor.model import Record, Rule
from conftest import CORPUS

LOGS = sorted(CORPUS.glob("*/var/log/aws/codedeploy-agent/codedeploy-agent*.log"))
IDS = [path.relative_to(CORPUS).parts[0] for path in LOGS]


def records(path: Path, rules: Sequence[Rule]) -> list[Record]:
    doctor = Doctor(rules)
    found = []
    for record in read(io.BytesIO(path.read_bytes()), Source(str(path)), doctor.wanted):
        found.append(record)
        doctor.observe(record)
    return found


@pytest.mark.parametrize("path", LOGS, ids=IDS)
def test_a_restart_changes_nothing(path: Path, rules: tuple[Rule, ...]) -> None:
    known = records(path, rules)
    whole = Doctor(rules)
    for record in known:
        whole.observe(record)
    for cut in range(0, len(known) + 1, max(1, len(known) // 8)):
        before, after = Doctor(rules), Doctor(rules)
        for record in known[:cut]:
            before.observe(record)
        remembering.recall(after.symptoms, remembering.texts(before.symptoms), after.rules)
        for record in known[cut:]:
            after.observe(record)
        assert after.findings(0.0) == whole.findings(0.0)
        assert set(after.wanted()) == set(whole.wanted())


def test_what_cannot_be_read_any_more_is_left_out(rules: tuple[Rule, ...]) -> None:
    before = Doctor(rules)
    for record in records(CORPUS / "missing_creds/var/log/aws/codedeploy-agent/codedeploy-agent.log", rules):
        before.observe(record)
    texts = remembering.texts(before.symptoms)
    assert texts
    broken = {
        **texts,
        "no JSON": "{",
        "no symptom": "[]",
        "half of one": '{"candidates": ["disk-full"], "subject": ""}',
    }
    after = Doctor(rules)
    remembering.recall(after.symptoms, broken, after.rules)
    assert after.findings(0.0) == before.findings(0.0)


def test_a_symptom_of_rules_that_are_gone_is_left_out(rules: tuple[Rule, ...]) -> None:
    before = Doctor(rules)
    for record in records(CORPUS / "missing_creds/var/log/aws/codedeploy-agent/codedeploy-agent.log", rules):
        before.observe(record)
    after = Doctor([rule for rule in rules if not rule.id.startswith("instance-profile")])
    remembering.recall(after.symptoms, remembering.texts(before.symptoms), after.rules)
    assert all(id_ in after.rules for symptom in after.symptoms.seen() for id_ in symptom.candidates)
