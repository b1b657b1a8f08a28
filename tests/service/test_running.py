"""The service as a process: it starts, is told to end, dies, comes back, and people hear of each failure once."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

from sinks.fake_sns import fake_sns

from service.stand import DENIED, GOOD_POLL, NO_CREDENTIALS, Stand, Topic, started, wait_for

OPENED, RECOVERED = ("opened", "command-access-denied"), ("recovered", "command-access-denied")


def test_a_failure_is_told_once_and_its_end_once(told: Stand) -> None:
    assert told.topic
    told.log(GOOD_POLL)
    told.start()
    told.log(DENIED, DENIED)
    wait_for(lambda: told.topic and OPENED in told.topic.told(), "the alert")
    told.log(GOOD_POLL)
    wait_for(lambda: told.topic and RECOVERED in told.topic.told(), "the end")
    assert told.topic.told() == [OPENED, RECOVERED]
    message = told.topic.messages()[0]
    finding = json.loads(message["Message"])
    assert finding["id"] == "command-access-denied"
    assert finding["count"] >= 1
    assert message["MessageAttributes"]["severity"]["Value"] == "critical"


def test_killed_and_started_again_it_goes_on(told: Stand) -> None:
    assert told.topic
    told.start()
    told.log(DENIED)
    wait_for(lambda: told.topic and told.topic.told(), "the alert")
    wait_for(lambda: told.status()["alerts"]["waiting"] == 0, "the receipt to be stored")
    first = told.findings()["command-access-denied"]["first_seen"]
    told.end(signal.SIGKILL)
    told.log(NO_CREDENTIALS, ago=-60)  # while nobody watched; it is held back for half a minute
    told.start()
    wait_for(lambda: {"command-access-denied"} < set(told.findings()), "what was logged meanwhile")
    assert told.findings()["command-access-denied"]["first_seen"] == first
    told.log(GOOD_POLL, ago=-120)
    wait_for(lambda: told.topic and RECOVERED in told.topic.told(), "the end")
    assert told.topic.told() == [OPENED, RECOVERED]


def test_r21_who_died_without_a_word_is_named(stand: Stand) -> None:
    stand.start()
    stand.end()
    stand.start()
    assert "ended without a word" not in stand.stderr(), "the first ended as it should"
    assert stand.process
    before = stand.process.pid
    stand.end(signal.SIGKILL)
    stand.start()
    assert f"process {before} ended without a word" in stand.stderr()


def test_a_state_that_cannot_be_read_yet_is_waited_for(stand: Stand) -> None:
    stand.log(DENIED)
    stand.start()
    wait_for(lambda: "command-access-denied" in stand.findings(), "the finding")
    first = stand.findings()["command-access-denied"]["first_seen"]
    stand.end()
    stand.log_path.write_text("")
    database, aside = stand.state_dir / "state.db", stand.folder / "state.db"
    database.rename(aside)
    database.mkdir()
    back = threading.Timer(2.0, lambda: (database.rmdir(), aside.rename(database)))
    back.start()
    stand.start()
    back.join()
    assert stand.findings()["command-access-denied"]["first_seen"] == first


def test_r16_what_the_topic_refuses_goes_in_its_least_form(tmp_path: Path) -> None:
    with fake_sns() as sns:
        refusing = Stand(tmp_path, Topic(None, None, "arn:aws:sns:eu-west-1:123456789012:x-plain", "", sns.url))
        for stand in started(refusing):
            stand.start()
            stand.log(DENIED)
            (form,) = wait_for(lambda: sns.received, "the alert")
    assert "SNS refused the full message" in form["Message"]
    assert "command-access-denied" in form["Subject"]


def test_history_pages_nobody(told: Stand) -> None:
    assert told.topic
    told.log(DENIED, ago=3 * 86400)
    told.start()
    assert told.findings()["command-access-denied"]["told"] is False
    told.log(DENIED)
    wait_for(lambda: told.topic and told.topic.told(), "what is new")
    assert told.topic.told() == [OPENED]


def test_a_silence_hides_and_ends(told: Stand) -> None:
    assert told.topic
    assert told.run("silence", "command-access-denied", "--for", "1h", "--reason", "being replaced").returncode == 0
    told.start()
    told.log(DENIED)
    wait_for(lambda: "command-access-denied" in told.findings(), "the finding")
    assert told.findings()["command-access-denied"]["suppression"]["reason"] == "being replaced"
    assert told.topic.told() == []
    assert told.run("unsilence", "command-access-denied").returncode == 0
    told.log(DENIED)
    wait_for(lambda: told.topic and told.topic.told(), "the alert after all")


def test_only_one_runs(stand: Stand) -> None:
    stand.start()
    second = stand.run("run")
    assert second.returncode == 3
    assert f"in use by another agentdoctor (process {stand.process.pid if stand.process else 0})" in second.stderr


def test_told_to_end_it_ends_well_and_leaves_no_process(stand: Stand) -> None:
    stand.start()
    assert stand.process
    group = children(stand.process.pid)
    assert stand.end() == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in group)
    assert stand.status()["service"]["state"] == "stopped"


def children(pid: int) -> list[int]:
    return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_settings_are_read_again(stand: Stand) -> None:
    stand.start()
    assert stand.process
    stand.configure(rules_dir=str(stand.folder / "mine"))
    (stand.folder / "mine").mkdir()
    (stand.folder / "mine/broken.yaml").write_text("title: nothing else\n")
    stand.process.send_signal(signal.SIGHUP)
    states = set()

    def read_again() -> bool:
        status = stand.status()
        states.add(status["service"]["state"])
        return "site-rule-invalid" in {finding["id"] for finding in status["findings"]}

    wait_for(read_again, "the rules of the new folder")
    assert states == {"running"}, "it never seems to be gone"


def test_settings_that_cannot_be_used_leave_the_old_ones(stand: Stand) -> None:
    stand.start()
    assert stand.process
    (stand.folder / "agentdoctor.yaml").write_text("rules: none\n")
    stand.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the old settings stay in force" in stand.stderr(), "the complaint")
    stand.configure()
    stand.log(DENIED)
    wait_for(lambda: "command-access-denied" in stand.findings(), "a finding all the same")


def test_dead_or_hung_the_status_says_so(stand: Stand) -> None:
    stand.log(DENIED)
    stand.start()
    wait_for(lambda: "command-access-denied" in stand.findings(), "a finding")
    assert stand.status()["service"]["state"] == "running"
    stand.end(signal.SIGKILL)
    seen = stand.run("status")
    assert "NOT RUNNING" in seen.stdout
    assert "command-access-denied" in seen.stdout
    assert seen.returncode == 2
