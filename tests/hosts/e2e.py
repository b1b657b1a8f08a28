"""The whole story on a real systemd: a newcomer installs the .deb, things break, people hear of it, all is taken away.

Run by ``make e2e``, as root, in the order of this file: it is one host's life. What is asked is what a person sees: the
messages at the topic (by a queue behind it), the journal, ``agentdoctor status`` and ``check``, files.
"""

from __future__ import annotations

import time
from collections import Counter

import pytest
from incident import RESTART, active
from incidents import INCIDENTS
from installed import (
    DROP_INS,
    KEYS,
    STATE,
    arrives,
    configure,
    do,
    environment,
    hand,
    journal,
    known,
    main_pid,
    mend,
    messages,
    package,
    ready,
    status,
    told,
)
from machine import AGENT_LOG, Machine
from service.stand import Topic

SUITE = "bookworm"
ROLLED = f"{AGENT_LOG[:-4]}.$(date +%Y%m%d)"  # as the agent names them
MISNAMED = INCIDENTS["appspec.yaml"]


def test_one_command_installs_it_and_it_runs(host: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """From the distribution's own parts, without a network; and the first verdict is there at once."""
    deb = hand(host, package())
    began = time.monotonic()
    host.run(f"apt-get -qq install -y {deb}")
    report = host.check()
    took = time.monotonic() - began
    with capsys.disabled():
        print(f"\nfrom the install to the first verdict: {took:.1f} s")

    assert active(report) == {"agent-not-installed": "confirmed"}
    assert host.run("systemctl is-active agentdoctor; systemctl is-enabled agentdoctor").stdout == "active\nenabled\n"
    assert host.run("dpkg --verify agentdoctor").stdout == ""
    assert host.run("agentdoctor rules test").returncode == 0
    assert status(host)["service"]["state"] == "running"


def test_the_first_alert_is_a_test(host: Machine, topic: Topic) -> None:
    """Two lines of settings, a reload, and a way to try it."""
    configure(host, topic)
    assert host.run("agentdoctor notify test").stdout.startswith("SENT: ")
    assert topic.told() == [("test", "test-message")]


def test_an_agent_that_comes_later_is_picked_up(host: Machine, topic: Topic) -> None:
    """Nobody restarts the doctor for it."""
    before = main_pid(host)
    host.run("/agentdoctor/tests/hosts/guest/install-1x.sh && systemctl start codedeploy-agent")
    host.logged("Creating client url from IMDS region and domain")
    host.until("agentdoctor status | grep -q /codedeploy-agent.log")
    host.until("agentdoctor status")  # nothing is wrong any more, as its exit code says

    assert main_pid(host) == before
    assert host.check()["summary"]["exit_code"] == 0
    # it follows the unit's journal, for which it needs no group: its journalctl has the file open
    host.until(f"ls -l /proc/$(pgrep -P {before} journalctl)/fd | grep -q /system.journal")


def test_the_profile_is_lost_and_comes_back(host: Machine, topic: Topic) -> None:
    """One message with the confirmed cause while it lasts, one when it is over. The alerts have keys of their own."""
    environment(host, **KEYS)
    incident = INCIDENTS["no instance profile"]
    do(incident, host)
    (opened,) = arrives(host, topic, incident.id, "opened")
    assert opened["verdict"] == "confirmed"
    assert opened["severity"] == opened["attributes"]["severity"] == "critical"
    assert opened["attributes"]["instance_id"] == "i-0123456789abcdef0"
    assert opened["title"] == "No instance profile is attached"
    assert any("associate-iam-instance-profile" in str(step["command"]) for step in opened["remediation"])
    assert "CONFIRMED" in host.run("agentdoctor status", check=False).stdout

    mend(incident, host)
    arrives(host, topic, incident.id, "opened", "recovered")
    assert journal(host, incident.id) == ["opened", "recovered"]
    assert known(host, incident.id)["state"] == "recovered"


def test_without_any_credentials_the_alert_waits(host: Machine, topic: Topic) -> None:
    """What the role's absence keeps from SNS too is in the journal at once, and arrives when the role is back."""
    environment(host)
    incident = INCIDENTS["the token is refused"]
    do(incident, host)
    host.until(f"journalctl -q AGENTDOCTOR_RULE={incident.id} AGENTDOCTOR_EVENT=opened | grep -q .")
    host.until("agentdoctor status | grep -q 'failing since .*NoCredentials'")
    assert messages(topic, incident.id) == []
    assert status(host)["alerts"]["waiting"] == 1

    mend(incident, host)
    opened, _ = arrives(host, topic, incident.id, "opened", "recovered")
    assert opened["verdict"] == "confirmed"
    environment(host, **KEYS)


@pytest.mark.parametrize(
    ("rotate", "behaviour", "rule"),
    [
        (f"cp {AGENT_LOG} {ROLLED}.log && : > {AGENT_LOG}", "denied", "command-access-denied"),
        (f"mv {AGENT_LOG} {ROLLED}.1.log && {RESTART}", "error", "endpoint-server-error"),
    ],
    ids=["by copy and truncate", "by rename"],
)
def test_a_log_that_is_rotated(host: Machine, topic: Topic, rotate: str, behaviour: str, rule: str) -> None:
    """What is written on both sides of it is one failure, told once, and so is its end."""
    host.aws(commands=behaviour)
    arrives(host, topic, rule, "opened")
    host.run(rotate)
    host.until(f"test $(grep -c Cannot.reach {AGENT_LOG}) -gt 2")
    host.aws()
    arrives(host, topic, rule, "opened", "recovered")
    assert known(host, "log-gap") == {}


def test_a_reboot_in_the_middle(host: Machine, topic: Topic) -> None:
    """It starts by itself and knows what it knew; nobody hears of it twice."""
    incident = INCIDENTS["keys of a person win over the role"]
    do(incident, host)
    arrives(host, topic, incident.id, "opened")
    told(host)
    before, heard = known(host, incident.id), topic.told()[:]
    host.reboot()
    ready(host)
    host.until(f"agentdoctor status | grep -q 'X {incident.id}'")
    assert known(host, incident.id)["first_seen"] == before["first_seen"]

    host.run("rm -r /root/.aws")
    mend(incident, host)
    arrives(host, topic, incident.id, "opened", "recovered")
    assert topic.told() == [*heard, ("recovered", incident.id)]


def test_killed_in_the_middle(host: Machine, topic: Topic) -> None:
    """The same after kill -9, with what happens before systemd has started it again."""
    incident = INCIDENTS["a configuration that the agent refuses"]
    told(host)
    host.run(f"kill -9 {main_pid(host)}")
    do(incident, host)
    host.logged(incident.shows)
    ready(host)
    (opened,) = arrives(host, topic, incident.id, "opened")
    assert opened["verdict"] == "confirmed"
    told(host)
    host.run(f"kill -9 {main_pid(host)}")
    mend(incident, host)
    arrives(host, topic, incident.id, "opened", "recovered")


def test_an_upgrade_goes_on_where_it_was(host: Machine, topic: Topic) -> None:
    """The settings of the site stay, nobody is asked, what is open stays open and is told no more."""
    assert MISNAMED.deploys
    host.deploy("d-AAAAAAAAA", MISNAMED.deploys)
    arrives(host, topic, MISNAMED.id, "opened")
    before, pid = known(host, MISNAMED.id), main_pid(host)
    host.run(f"apt-get -qq install -y {hand(host, package('99.0'))}")
    assert host.run("agentdoctor --version").stdout == "agentdoctor 99.0\n"
    assert main_pid(host) != pid
    host.until(f"agentdoctor status | grep -q 'X {MISNAMED.id}'")
    assert known(host, MISNAMED.id)["first_seen"] == before["first_seen"]
    assert topic.arn in host.run("cat /etc/agentdoctor/agentdoctor.yaml").stdout

    assert MISNAMED.again
    host.deploy("d-BBBBBBBBB", MISNAMED.again)
    arrives(host, topic, MISNAMED.id, "opened", "recovered")


def test_a_downgrade_says_so(host: Machine) -> None:
    """State of a form that the older version does not know is kept aside, and the service runs."""
    later = f"import sqlite3; sqlite3.connect('{STATE}/state.db').execute('PRAGMA user_version = 99')"
    host.run(f'systemctl stop agentdoctor && python3 -c "{later}"')
    host.run(f"apt-get -qq install -y --allow-downgrades {hand(host, package())}")
    assert status(host)["service"]["state"] == "running"
    assert "its schema 99 is newer than" in host.run("journalctl -u agentdoctor --no-pager -n 20").stdout
    assert host.run(f"ls {STATE}").stdout.count("state.db") >= 2


def test_nobody_heard_anything_twice(topic: Topic) -> None:
    """All that arrived in this life: each event of each failure once, and what was told to be there is over."""
    heard = Counter(topic.told())
    assert [pair for pair, count in heard.items() if count > 1] == []
    opened = {rule for event, rule in heard if event == "opened"}
    assert opened <= {rule for event, rule in heard if event == "recovered"}


def test_a_purge_leaves_nothing(host: Machine) -> None:
    """Neither state nor user, unit nor settings, and systemd is content."""
    host.run(f"rm -r {' '.join(DROP_INS)}; systemctl daemon-reload; apt-get -qq purge -y agentdoctor")
    left = "find / /run -xdev -name '*agentdoctor*' -not -path '/proc/*' -not -path '/agentdoctor*' -not -path '/srv/*'"
    assert host.run(left).stdout == ""
    assert host.run("getent passwd agentdoctor; getent group agentdoctor", check=False).stdout == ""
    assert "agentdoctor" not in host.run("systemctl --failed --no-legend; systemctl list-unit-files --no-legend").stdout


def test_it_comes_back_after_a_purge(host: Machine) -> None:
    """As new, and what was before it pages nobody."""
    host.run("apt-get -qq install -y /srv/agentdoctor_99.0_all.deb")
    assert host.check()["summary"]["exit_code"] == 0
    host.until("agentdoctor status")
