"""R18: whatever a log, a tag or a stored body holds, the message stays ours."""

from __future__ import annotations

import json
import math
import os
import re
import string
import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentdoctor.sinks.clean import defanged, typed
from agentdoctor.sinks.message import LIMIT, compose, minimal, size
from sinks import FINDING, HOST, NOW, letter

EXAMPLES = 5_000 if os.environ.get("AGENTDOCTOR_LONG") else 40
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Far more of what hurts than random text has.
NASTY = st.sampled_from(
    ["\x00", "\x1b[31m", "\r\n", "\u202e", "\u2066", "\u200b", "\ufeff", "\ufffe", "\ud800", "\U000e0041", "\u2028",
     "https://evil.example.com/x", "HTTP://evil.test", "www.evil.com", "mailto:a@evil.org", "| ", "Fix:\n", '"', "\\",
     "{}", "\U0001f600", "%s", "://", "\n\nVerify:\n"]
)  # fmt: skip
TEXT = st.lists(NASTY | st.text(max_size=8) | st.characters(codec=None), max_size=12).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ROWS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["symptom", "confirms", "x"]), "text": TEXT}), max_size=4
)
STEPS = st.lists(st.fixed_dictionaries({"text": TEXT, "where": TEXT, "command": TEXT}), max_size=3)
FINDINGS = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXT | VALUES, "cause": TEXT, "subject": VALUES, "deployment": VALUES, "evidence": ROWS | VALUES,
        "ruled_out": VALUES, "remediation": STEPS | VALUES, "verify": TEXT | VALUES, "docs": TEXT | VALUES,
        "first_seen": TEXT, "count": VALUES, "counts": VALUES, "verdict": TEXT | VALUES, "more": VALUES,
    },
)  # fmt: skip
LETTERS = st.builds(
    letter,
    FINDINGS,
    key=TEXT,
    event=st.sampled_from(["opened", "escalated", "recovered", "test", "digest"]) | TEXT,
    rule=st.just("disk-full") | TEXT,
    severity=st.just("critical") | TEXT,
    instance_id=TEXT,
    deployment_group=TEXT,
    fingerprint=TEXT,
    created_at=st.floats(),
)
quick = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def cleaned(value: Any) -> Any:
    """The same value without what must not be in a message, found another way than the program does."""
    if isinstance(value, str):
        return "".join(c for c in value if fit(c))
    if isinstance(value, dict):
        return {cleaned(name): cleaned(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [cleaned(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def fit(c: str) -> bool:
    """Whether a character is seen, and allowed in XML 1.0."""
    return c in "\t\n" or not (unicodedata.category(c) in UNSEEN or unseen_mark(c) or c in "\ufffe\uffff")


def unseen_mark(c: str) -> bool:
    """Not seen either (Default_Ignorable_Code_Point), or a format character that older Pythons know nothing of."""
    ranges = "\u034f \u115f-\u1160 \u17b4-\u17b5 \u180b-\u180f \u2060-\u206f \u3164 \ufe00-\ufe0f \uffa0 \ufff0-\ufffb"
    return bool(re.match(f"[{ranges.replace(' ', '')}\U00013430-\U0001343f\U000e0000-\U000e0fff]", c))


@quick
@given(LETTERS, st.floats(), st.booleans(), st.dictionaries(st.sampled_from(["name", "region"]), TEXT))
def test_r18_any_text(message: Any, now: float, fifo: bool, host: dict[str, str]) -> None:
    """Within the limits, valid, nothing unseen, no live link, no foreign word in the subject."""
    for params in (compose(message, now, fifo, host), minimal(message, fifo)):
        subject = params["Subject"]
        assert 0 < len(subject) <= 99
        assert set(subject) <= set(string.ascii_letters + string.digits + " .:_()-")
        assert subject[0].isalnum()
        assert size(params) <= LIMIT
        assert len(params["MessageAttributes"]) <= 10
        for attribute in params["MessageAttributes"].values():
            assert attribute["StringValue"]
            assert all(fit(c) and c not in "\t\n" for c in attribute["StringValue"])
        if fifo:
            assert re.fullmatch(r"[A-Za-z0-9-]{1,128}", params["MessageDeduplicationId"])
            assert re.fullmatch(r"[A-Za-z0-9.-]{1,128}", params["MessageGroupId"])


@quick
@given(LETTERS)
def test_r18_any_text_for_people_and_machines(message: Any) -> None:
    """Text without control characters and links; JSON that says what the finding said."""
    params = compose(message, NOW, False, HOST)
    told = json.loads(params["Message"])

    assert all(fit(c) for c in told["email"])
    mail = re.sub(r"^More: \S+$", "", told["email"], flags=re.MULTILINE)  # of the rule
    assert not re.search(r"(?i)(?:https?|ftp|file)://|\bwww\.|mailto:\S", mail)
    assert told["sms"].isascii()
    finding = json.loads(told["default"])
    if not finding.get("truncated"):
        assert finding == cleaned(json.loads(message.body))


@quick
@given(TEXT)
def test_r18_a_log_line_stays_behind_its_bar(text: str) -> None:
    """No line of a log can pass for one of ours: all of it stands behind bars, and nothing else does."""
    plain = json.loads(compose(letter(), NOW, False, HOST)["Message"])["email"].splitlines()
    evidence = [{"role": "symptom", "text": text}, FINDING["evidence"][1]]
    mail = json.loads(compose(letter({**FINDING, "evidence": evidence}), NOW, False, HOST)["Message"])["email"]

    kept = [line for line in mail.splitlines() if not line.startswith("| ")]
    expected = [line for line in plain if not line.startswith("| ")]
    if "Log:" not in kept or mail.count("\n| ") == 0:  # nothing of the text is to be seen
        expected = [line for line in expected if line != "Log:"]
        kept = [line for line in kept if line != "Log:"]
    assert [line for line in kept if line] == [line for line in expected if line]


LINKS = {
    "https://evil.example.com/a.b?c=d": "hxxps://evil[.]example[.]com/a.b?c=d",
    "see http://10.0.0.1:8080/x.": "see hxxp://10[.]0[.]0[.]1:8080/x.",
    "HTTPS://EVIL.TEST": "HxxPS://EVIL[.]TEST",
    "31mhttps://evil.test": "31mhxxps://evil[.]test",
    "www.evil.example": "www[.]evil.example",
    "evil.com": "evil[.]com",
    "evil.phish/login": "evil[.]phish/login",
    "a@evil.org": "a@evil[.]org",
    "mailto:a@b.test": "mailto[:]a@b.test",
    "ftp://h.test/x": "ftp[:]//h[.]test/x",
    "s3://bucket/key.zip": "s3://bucket/key.zip",
    "/var/log/codedeploy-agent.log": "/var/log/codedeploy-agent.log",
    "codedeploy-agent.service failed: exit 1.": "codedeploy-agent.service failed: exit 1.",
    "Aws::Errors::MissingCredentialsError": "Aws::Errors::MissingCredentialsError",
}


@pytest.mark.parametrize(("text", "shown"), LINKS.items(), ids=LINKS)
def test_links_and_near_misses(text: str, shown: str) -> None:
    """What a mail program would make a link of is none any more, and what it would not stays as it was."""
    assert defanged(text) == shown


def test_commands_stay_typeable() -> None:
    """Only the scheme of an address is changed in a command."""
    assert (
        typed("wget -O x https://a.s3.eu-west-1.amazonaws.com/i") == "wget -O x hxxps://a.s3.eu-west-1.amazonaws.com/i"
    )
    assert typed("aws s3 cp s3://b/k .") == "aws s3 cp s3://b/k ."


def test_json_holds_no_link_that_a_mail_would_make_one() -> None:
    """email-json shows the JSON in a mail: its addresses are escaped, and the same once parsed."""
    finding = {**FINDING, "title": "https://evil.example/x"}
    told = json.loads(compose(letter(finding), NOW, False)["Message"])["default"]

    assert "://" not in told
    assert json.loads(told)["title"] == "https://evil.example/x"
