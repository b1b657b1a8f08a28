"""The judgement: symptoms and evidence in, findings out. Tables of values, nothing mocked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agentdoctor.doctor import Doctor
from agentdoctor.model import Deployment, Evidence, Finding, Outcome, Record, Report, Role, Rule, State, Verdict
from agentdoctor.rules.schema import parse


def rule(id_: str, **parts: str) -> Rule:
    """A rule with the parts that a test is about, and something short for the rest."""
    shape = {
        "title": "It broke",
        "severity": "critical",
        "area": "test",
        "cause": "It broke.",
        "docs": "https://docs.aws.amazon.com",
        "signature": "{any: ['it says broken now']}",
        "recovery": "{any: ['all is well now']}",
        "remediation": "[{text: Mend it, where: instance}]",
        **parts,
    }
    return parse("\n".join(f"{key}: {value}" for key, value in shape.items() if value), f"{id_}.yaml")


def record(message: str, at: float | None = 100.0, **parts: Any) -> Record:
    """A record of an agent log."""
    return Record(log="agent", message=message, at=at, pid=parts.pop("pid", 7), **parts)


BROKEN, WELL = "it says broken now", "all is well now"


def judge(rules: list[Rule], records: list[Record], host: Mapping[str, Any] | None = None) -> dict[str, Finding]:
    """Findings by id; ``host`` maps probes to their values, or to text: why they could not look."""
    doctor = Doctor(rules)
    for each in records:
        doctor.observe(each)
    return {finding.rule.id: finding for finding in doctor.findings(1000.0, asking(host) if host is not None else None)}


def asking(host: Mapping[str, Any]) -> Any:
    """An ask over fixed answers."""

    def ask(name: str, about: Mapping[str, str]) -> Evidence:
        answer = host.get(name, "nobody asked")
        if isinstance(answer, str):
            return Evidence(name, "disk", None, answer, Outcome.UNKNOWN)
        return Evidence(name, "disk", answer)

    return ask


LIFE = {
    "once": ([record(BROKEN)], State.ACTIVE, 1),
    "and over": ([record(BROKEN), record(WELL, 200.0)], State.RECOVERED, 1),
    "over before it began": ([record(WELL, 50.0), record(BROKEN)], State.ACTIVE, 1),
    "recovery with an older stamp": ([record(BROKEN), record(WELL, 50.0)], State.ACTIVE, 1),
    "three times": ([record(BROKEN, 100.0 + 10 * n) for n in range(3)], State.ACTIVE, 3),
    "one poll, three entries": ([record(BROKEN, 100.0 + n) for n in (0, 0, 1)], State.ACTIVE, 1),
    "the same second, another process": ([record(BROKEN), record(BROKEN, pid=8)], State.ACTIVE, 2),
    "again after it was over": ([record(BROKEN), record(WELL, 200.0), record(BROKEN, 300.0)], State.ACTIVE, 1),
    "without stamps": ([record(BROKEN, None), record(WELL, None)], State.RECOVERED, 1),
}


@pytest.mark.parametrize(("records", "state", "count"), LIFE.values(), ids=LIFE)
def test_life_of_a_finding(records: list[Record], state: State, count: int) -> None:
    """Errors open it, evidence of health ends it, silence changes nothing."""
    finding = judge([rule("it-broke")], records)["it-broke"]

    assert (finding.state, finding.count) == (state, count)


def test_first_and_last_seen() -> None:
    """An episode begins anew after a recovery."""
    again = [record(BROKEN), record(WELL, 200.0), record(BROKEN, 300.0), record(BROKEN, 400.0)]
    finding = judge([rule("it-broke")], again)["it-broke"]

    assert (finding.first_seen, finding.last_seen, finding.recovered_at) == (300.0, 400.0, None)


def failed(event: str, message: str = BROKEN, at: float = 100.0, group: str = "g1") -> Record:
    """A report of a failed event."""
    deployment = Deployment("d-1", group, event)
    return record(message, at, deployment=deployment, report=Report(False, 5, "", message, "", "aWQ="))


def succeeded(event: str, at: float = 200.0, group: str = "g1") -> Record:
    """A report of an event that ended well."""
    return record("Succeeded: ", at, deployment=Deployment("d-2", group, event), succeeded=event)


EVENTS = {
    "the same event": (succeeded("Install"), State.RECOVERED),
    "another event": (succeeded("BeforeInstall"), State.ACTIVE),
    "the same event of another group": (succeeded("Install", group="g2"), State.ACTIVE),
    "the same event, group unknown": (succeeded("Install", group=""), State.RECOVERED),
    "a good poll, when the failure was in an event": (record(WELL, 200.0), State.ACTIVE),
}


@pytest.mark.parametrize(("later", "state"), EVENTS.values(), ids=EVENTS)
def test_recovery_by_event(later: Record, state: State) -> None:
    """What failed inside an event is over when that event succeeds in the same group."""
    event_rule = rule("it-broke", recovery="{event: same, any: ['all is well now']}")

    assert judge([event_rule], [failed("Install"), later])["it-broke"].state is state


def test_an_echo_is_no_second_failure() -> None:
    """The agent reports a failed event twice; the first report has the true code."""
    first = failed("Install")
    echo = record(f"Error during perform: {BROKEN}", 101.0)
    finding = judge([rule("it-broke")], [first, echo, failed("Install", at=103.5)])["it-broke"]

    assert finding.count == 1
    assert finding.deployment.id == "d-1"


def test_several_are_needed() -> None:
    """One respawn is healthy; three in ten minutes are a loop, and a good poll between them starts anew."""
    loop = rule("it-loops", signature="{any: ['it says broken now'], times: 3, within: 10m}")
    thrice = [record(BROKEN, 100.0 * n) for n in (1, 2, 3)]

    assert not judge([loop], thrice[:2])
    assert judge([loop], thrice)["it-loops"].state is State.ACTIVE
    assert not judge([loop], [record(BROKEN, 1000.0 * n) for n in (1, 2, 3)])
    assert not judge([loop], [*thrice[:2], record(WELL, 250.0), thrice[2]])


CONFIRM = "{disk.space: {free: {max: 10}}, unit.state: {active: [failed, inactive]}}"
HOLDS, HOLDS_NOT = {"free": 3}, {"free": 11}
FAILED, RUNNING = {"active": "failed"}, {"active": "active"}

PASSING = {
    "shown": (HOLDS, Verdict.CONFIRMED),
    "not shown any more": (HOLDS_NOT, Verdict.LIKELY),
    "could not look": ("no permission", Verdict.UNVERIFIED),
}


@pytest.mark.parametrize(("seen", "verdict"), PASSING.values(), ids=PASSING)
def test_evidence_that_passes(seen: Any, verdict: Verdict) -> None:
    """Memory is free again once the kernel has killed for it: to see that proves nothing."""
    passing = rule("it-broke", confirm="{disk.space: {free: {max: 10}}}", rules_out="false")
    finding = judge([passing], [record(BROKEN)], {"disk.space": seen})["it-broke"]

    assert (finding.verdict, finding.state) == (verdict, State.ACTIVE)
    assert not any(proof.role is Role.CONTRADICTS for proof in finding.evidence)


def test_evidence_that_passes_of_a_sibling() -> None:
    """It is not among what was ruled out, and stays a sibling."""
    passing = rule("it-broke", confirm="{disk.space: {free: {max: 10}}}", rules_out="false")
    finding = judge([passing, rule("it-broke-too")], [record(BROKEN)], {"disk.space": HOLDS_NOT})["it-broke"]

    assert (finding.verdict, finding.siblings, finding.ruled_out) == (Verdict.UNVERIFIED, ("it-broke-too",), ())


VERDICTS = {
    "all hold": ({"disk.space": HOLDS, "unit.state": FAILED}, Verdict.CONFIRMED, State.ACTIVE),
    "one contradicts": ({"disk.space": HOLDS, "unit.state": RUNNING}, Verdict.RULED_OUT, State.QUIET),
    "one could not look": ({"disk.space": HOLDS, "unit.state": "no permission"}, Verdict.UNVERIFIED, State.ACTIVE),
    "one contradicts, one could not look": (
        {"disk.space": HOLDS_NOT, "unit.state": "no permission"},
        Verdict.RULED_OUT,
        State.QUIET,
    ),
    "a field is not known": ({"disk.space": {"free": None}, "unit.state": FAILED}, Verdict.UNVERIFIED, State.ACTIVE),
    "a field is not there": ({"disk.space": {}, "unit.state": FAILED}, Verdict.UNVERIFIED, State.ACTIVE),
    "nobody could look": ({}, Verdict.UNVERIFIED, State.ACTIVE),
    "no host": (None, Verdict.UNVERIFIED, State.ACTIVE),
}


@pytest.mark.parametrize(("host", "verdict", "state"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(host: Mapping[str, Any] | None, verdict: Verdict, state: State) -> None:
    """Confirmed, ruled out, or unverified; never more than was seen."""
    finding = judge([rule("it-broke", confirm=CONFIRM)], [record(BROKEN)], host)["it-broke"]

    assert (finding.verdict, finding.state) == (verdict, state)


def test_without_confirm_the_log_alone_is_likely() -> None:
    """A log line that fits one cause only is worth more than one that fits several."""
    assert judge([rule("it-broke")], [record(BROKEN)])["it-broke"].verdict is Verdict.LIKELY


def test_a_state_that_the_host_ends() -> None:
    """Where the host's state is the failure, its absence is the recovery."""
    ends = rule("it-broke", confirm=CONFIRM, recovery="{evidence: true}")
    finding = judge([ends], [record(BROKEN)], {"disk.space": HOLDS_NOT, "unit.state": FAILED})["it-broke"]

    assert (finding.state, finding.recovered_at) == (State.RECOVERED, 1000.0)


def siblings() -> list[Rule]:
    """Three causes of one symptom."""
    return [
        rule("rare-cause", frequency="rare", confirm="{disk.space: {free: 1}}"),
        rule("usual-cause", frequency="common", confirm="{disk.space: {free: 2}}"),
        rule("other-cause", confirm="{disk.space: {free: 3}}"),
    ]


def test_siblings_without_evidence() -> None:
    """One finding, of the most frequent cause, that names the others."""
    found = judge(siblings(), [record(BROKEN)])

    assert list(found) == ["usual-cause"]
    assert found["usual-cause"].verdict is Verdict.UNVERIFIED
    assert found["usual-cause"].siblings == ("other-cause", "rare-cause")


def test_siblings_with_evidence() -> None:
    """The right one is confirmed; the others are ruled out, each with the value that does it."""
    found = judge(siblings(), [record(BROKEN)], {"disk.space": {"free": 1}})

    assert list(found) == ["rare-cause"]
    assert found["rare-cause"].verdict is Verdict.CONFIRMED
    assert [x.id for x in found["rare-cause"].ruled_out] == ["usual-cause", "other-cause"]
    assert all("free = 1" in x.because for x in found["rare-cause"].ruled_out)


def test_siblings_that_are_all_ruled_out() -> None:
    """It was logged, and no known cause is there any more: told as quiet, claimed of none."""
    (finding,) = judge(siblings(), [record(BROKEN)], {"disk.space": {"free": 9}}).values()

    assert (finding.state, finding.verdict) == (State.QUIET, Verdict.RULED_OUT)
    assert finding.siblings == ("other-cause", "rare-cause")


STANDING: dict[str, tuple[Mapping[str, Any], set[str], Outcome]] = {
    "it holds": ({"disk.space": {"free": 1}}, {"no-space"}, Outcome.FAIL),
    "it does not": ({"disk.space": {"free": 9}}, set(), Outcome.PASS),
    "could not look": ({"disk.space": "no permission"}, set(), Outcome.UNKNOWN),
    "looked and could not tell": ({"disk.space": {"free": None}}, set(), Outcome.UNKNOWN),
}


@pytest.mark.parametrize(("host", "found", "outcome"), STANDING.values(), ids=STANDING)
def test_checks_of_the_host_alone(host: Mapping[str, Any], found: set[str], outcome: Outcome) -> None:
    """What the host shows needs no log line; what could not be seen is neither a finding nor healthy."""
    check = rule("no-space", signature="", standing="true", confirm="{disk.space: {free: 1}}")
    doctor = Doctor([check])
    findings = doctor.findings(1000.0, asking(host))

    assert {finding.rule.id for finding in findings} == found
    assert [row.outcome for row in doctor.checks(findings, {"agent"}, asking(host))] == [outcome]


def test_one_contradiction_settles_a_check() -> None:
    """What one probe rules out, another that could not look does not leave open."""
    check = rule("no-space", signature="", standing="true", confirm=CONFIRM)
    host = asking({"disk.space": HOLDS_NOT, "unit.state": "no systemd"})
    doctor = Doctor([check])

    assert [row.outcome for row in doctor.checks([], {"agent"}, host)] == [Outcome.PASS]


def test_a_root_cause_hides_its_consequence() -> None:
    """The consequence is kept, and says of what."""
    root = rule("root-cause", signature="{any: ['the root is rotten']}")
    leaf = rule("leaf-falls", depends_on="[root-cause]")
    found = judge([root, leaf], [record("the root is rotten"), record(BROKEN)])

    assert (found["leaf-falls"].state, found["leaf-falls"].masked_by) == (State.MASKED, "root-cause")
    assert judge([root, leaf], [record(BROKEN)])["leaf-falls"].state is State.ACTIVE


def test_a_root_cause_that_is_over_hides_nothing() -> None:
    """Only what holds now can be the reason of what holds now."""
    root = rule("root-cause", signature="{any: ['the root is rotten']}")
    leaf = rule("leaf-falls", depends_on="[root-cause]", recovery="{event: same}")
    records = [record("the root is rotten"), record(BROKEN, 150.0), record(WELL, 200.0)]

    assert judge([root, leaf], records)["leaf-falls"].state is State.ACTIVE


def test_what_is_proven_is_not_hidden_behind_a_guess() -> None:
    """An unverified root does not mask a confirmed finding."""
    root = rule("root-cause", signature="{any: ['the root is rotten']}", confirm="{unit.state: {active: failed}}")
    leaf = rule("leaf-falls", depends_on="[root-cause]", confirm="{disk.space: {free: 1}}")
    found = judge([root, leaf], [record("the root is rotten"), record(BROKEN)], {"disk.space": {"free": 1}})

    assert found["leaf-falls"].state is State.ACTIVE


def test_another_deployment_is_no_root_cause() -> None:
    """A full disk in one deployment says nothing about the script of another."""
    root = rule("root-cause", signature="{any: ['the root is rotten']}")
    leaf = rule("leaf-falls", depends_on="[root-cause]")
    rotten = record("the root is rotten", deployment=Deployment("d-1"))

    for other, state in (("d-1", State.MASKED), ("d-2", State.ACTIVE), ("", State.MASKED)):
        found = judge([root, leaf], [rotten, record(BROKEN, deployment=Deployment(other))])
        assert found["leaf-falls"].state is state


OUTPUT = "{output: ['could not get the lock']}"


def test_what_a_failed_hook_printed() -> None:
    """Output of a hook counts when its event failed, and in a paste; not when the event ended well."""
    locked = rule("lock-held", signature=OUTPUT)
    printed = Report(False, 4, "a.sh", "it failed", "[stderr]could not get the lock", "aWQ=")

    assert judge([locked], [record("it failed", report=printed)])
    assert judge([locked], [Record(log="text", message="[stderr]could not get the lock")])
    assert not judge([locked], [record("fine", report=Report(True, 0, "", "", printed.log, "aWQ="))])
    assert not judge([locked], [record("could not get the lock")])


def test_output_that_counts_without_a_report_alone() -> None:
    """A rule about scripts.log is not about hooks of which the agent says that they failed."""
    hidden = rule("lock-hidden", signature="{log: scripts, output: ['could not get the lock']}")
    printed = Report(False, 4, "a.sh", "it failed", "[stderr]could not get the lock", "aWQ=")

    assert judge([hidden], [Record(log="scripts", message="[stderr]could not get the lock")])
    assert judge([hidden], [Record(log="text", message="could not get the lock")])
    assert not judge([hidden], [record("it failed", report=printed)])


def test_last_words_yield_to_the_agents_report() -> None:
    """Where the agent said how the event ended, what its hook printed last is not asked."""
    locked = rule("lock-held", signature=OUTPUT)
    event = Deployment("d-1", "", "Install")
    words = Record(log="scripts", message="[stderr]could not get the lock", deployment=event)
    well = record("Succeeded: ", deployment=event, succeeded="Install")

    assert judge([locked], [words])
    assert judge([locked], [words, well])["lock-held"].state is State.ACTIVE  # it needs an event rule to end
    assert not judge([locked], [well, words])


SUBJECTS = "{any: ['cannot read (?P<path>\\S+) at all']}"


def test_subjects_are_findings_of_their_own() -> None:
    """Two paths are two findings, one path twice is one."""
    doctor = Doctor([rule("path-unreadable", signature=SUBJECTS, subject="path")])
    for at, path in ((100.0, "/a"), (200.0, "/b"), (300.0, "/a")):
        doctor.observe(record(f"cannot read {path} at all", at))

    assert {(x.subject, x.count) for x in doctor.findings(1000.0)} == {("/a", 2), ("/b", 1)}


def test_a_veto_holds_for_the_whole_occurrence() -> None:
    """What a hook printed stands in the report alone; the ERROR entry after it must not slip through."""
    vetoed = rule("it-broke", signature="{any: ['it says broken now'], unless: ['su: no such user']}")
    report = Report(False, 4, "a.sh", BROKEN, "[stderr]su: no such user", "aWQ=")
    records = [record(BROKEN, report=report), record(f"Error during perform: {BROKEN}")]

    assert not judge([vetoed], records)
    assert judge([vetoed], [*records, record(BROKEN, 300.0)])["it-broke"].count == 1


def test_the_narrower_pattern_decides() -> None:
    """A text that fits a shared pattern and one of a single cause is that cause."""
    shared_pattern = "it says broken now"
    narrow = rule("narrow-cause", signature=f"{{any: ['{shared_pattern}', 'broken now by rust']}}")
    wide = rule("wide-cause", signature=f"{{any: ['{shared_pattern}']}}")

    assert list(judge([narrow, wide], [record("it says broken now by rust")])) == ["narrow-cause"]


GENERATIONS = {"1.x": {"old-only", "both-kinds"}, "2.x": {"both-kinds"}, "": {"old-only", "both-kinds"}}


@pytest.mark.parametrize(("agent", "candidates"), GENERATIONS.items(), ids=["1.x", "2.x", "unknown"])
def test_generations(agent: str, candidates: set[str]) -> None:
    """A rule of 1.x sees nothing in a line of 2.x."""
    found = judge([rule("old-only", agents="[1.x]"), rule("both-kinds")], [record(BROKEN, agent=agent)])
    (finding,) = found.values()

    assert {finding.rule.id, *finding.siblings} == candidates


def test_unexplained_errors_are_grouped() -> None:
    """Errors of one template are one entry, with its count and its times."""
    doctor = Doctor([rule("it-broke")])
    for number in range(3):
        text = f"Odd thing {number} at /opt/x{number} in d-ABCDEF12{number} - /opt/a.rb:1:in `x'"
        doctor.observe(record(text, 100.0 + number, level="ERROR"))
    doctor.observe(record("an INFO that nobody knows", level="INFO"))
    (entry,) = doctor.unexplained()

    assert (entry.template, entry.count) == ("Odd thing <n> at <path> in <deployment>", 3)
    assert (entry.first_at, entry.last_at) == (100.0, 102.0)


def test_wanted_only_while_something_is_open() -> None:
    """Healthy lines are looked at as long as one of them would end a finding, and no longer."""
    doctor = Doctor([rule("it-broke")])
    assert not doctor.wanted()

    doctor.observe(record(BROKEN))
    assert doctor.wanted() == (b"all is well now",)

    doctor.observe(record(WELL, 200.0))
    assert not doctor.wanted()


WAYS = "[{disk.space: {free: 1}}, {disk.space: {free: 2}, unit.state: {up: true}}]"
TWO_WAYS = {
    "the first": ({"disk.space": {"free": 1}}, Verdict.CONFIRMED),
    "the second": ({"disk.space": {"free": 2}, "unit.state": {"up": True}}, Verdict.CONFIRMED),
    "the second in part": ({"disk.space": {"free": 2}}, Verdict.UNVERIFIED),
    "neither": ({"disk.space": {"free": 3}, "unit.state": {"up": True}}, Verdict.RULED_OUT),
    "nothing known": ({}, Verdict.UNVERIFIED),
}


@pytest.mark.parametrize(("host", "verdict"), TWO_WAYS.values(), ids=TWO_WAYS)
def test_any_of_several_proofs_is_enough(host: dict[str, Any], verdict: Verdict) -> None:
    """One way that holds confirms; only when all are contradicted is the cause ruled out."""
    assert judge([rule("it-broke", confirm=WAYS)], [record(BROKEN)], host)["it-broke"].verdict is verdict


def test_context_is_shown_and_proves_nothing() -> None:
    """What a rule shows beside its proof has no part in the verdict, and is left out where nobody could look."""
    host = {"disk.space": {"free": 1}, "rules.site": {"broken": 0, "first": ""}}
    shown = rule("it-broke", confirm="{disk.space: {free: 1}}", context="[rules.site]")
    silent = judge([shown], [record(BROKEN)], {"disk.space": {"free": 1}})["it-broke"]
    told = judge([shown], [record(BROKEN)], host)["it-broke"]

    assert silent.verdict is told.verdict is Verdict.CONFIRMED
    assert [proof.text for proof in told.evidence if proof not in silent.evidence] == [
        "every rule of this site can be used"
    ]
