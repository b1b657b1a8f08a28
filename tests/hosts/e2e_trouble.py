"""The same package on the next Debian, and what happens to hosts: a full disk, a clock that jumps, SNS that is away.

Run by ``make e2e``, as root, in the order of this file.
"""

from __future__ import annotations

import pytest
from incident import active
from incidents import INCIDENTS
from installed import KEYS, STATE, Aws, arrives, configure, do, environment, hand, known, mend, messages, package, told
from machine import Machine
from service.stand import Topic

SUITE = "trixie"


@pytest.fixture(scope="module", autouse=True)
def installed(host: Machine, topic: Topic) -> None:
    """A host with a healthy agent and the service."""
    host.run("/agentdoctor/tests/hosts/guest/install-1x.sh && systemctl start codedeploy-agent")
    host.logged("Creating client url from IMDS region and domain")
    host.run(f"apt-get -qq install -y {hand(host, package())}")
    configure(host, topic)
    environment(host, **KEYS)


def test_a_healthy_host_is_silent(host: Machine, topic: Topic) -> None:
    """On another Debian with another Python, too."""
    assert host.check()["summary"]["exit_code"] == 0
    host.run("agentdoctor rules test")
    host.until("agentdoctor status")
    assert topic.told() == []


def test_a_disk_that_is_full(host: Machine, topic: Topic) -> None:
    """It tells all the same, says that it cannot store it, and stores it when there is room."""
    denied = "command-access-denied"
    host.run(
        f"""
        systemctl stop agentdoctor
        cp -a {STATE} /srv/state
        mount -t tmpfs -o size=2m,mode=700,uid=agentdoctor,gid=agentdoctor tmpfs {STATE}
        cp -a /srv/state/. {STATE}/
        systemctl start agentdoctor
        head -c 4M /dev/zero > {STATE}/fill || :
        """
    )
    host.aws(commands="denied")
    arrives(host, topic, denied, "opened")
    arrives(host, topic, "state-not-durable", "opened")
    host.until("agentdoctor status | grep -q 'disk is full'")

    host.run(f"rm {STATE}/fill")
    arrives(host, topic, "state-not-durable", "opened", "recovered")
    host.run("systemctl restart agentdoctor")
    assert known(host, denied)["state"] == "active"
    host.aws()
    arrives(host, topic, denied, "opened", "recovered")
    told(host)
    host.run(f"systemctl stop agentdoctor && cp -a {STATE}/. /srv/state/ && umount {STATE}")
    host.run(f"cp -a /srv/state/. {STATE}/ && systemctl start agentdoctor")


def test_a_clock_that_jumps(host: Machine, topic: Topic) -> None:
    """An hour ahead and back, while it runs: that is told, nothing else is over for it, waits for it or is told twice.

    The kernel's clock is everybody's here, so libfaketime shifts that of the service and its children alone; the agent
    and the journal keep the right one.
    """
    preload = host.run("ls /usr/lib/*/faketime/libfaketime.so.1").stdout.strip()
    clock = "/etc/clock-of-the-test"
    step = f"echo %s > {clock}.new && mv {clock}.new {clock}"
    host.run(step % "+0")
    faked = {"FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_CACHE_DURATION": "1", "DONT_FAKE_MONOTONIC": "1"}
    environment(host, **KEYS, LD_PRELOAD=preload, **faked)
    heard = topic.told()[:]
    incident = INCIDENTS["a proxy that is not there"]
    do(incident, host)
    (opened,) = arrives(host, topic, incident.id, "opened")
    host.run(step % "+3600s")
    arrives(host, topic, "clock-skew", "opened")
    host.run(step % "+0")
    arrives(host, topic, "clock-skew", "opened", "recovered")
    mend(incident, host)
    arrives(host, topic, incident.id, "opened", "recovered")
    assert opened["verdict"] == "confirmed"
    new = [("opened", incident.id), ("opened", "clock-skew"), ("recovered", "clock-skew"), ("recovered", incident.id)]
    assert topic.told() == [*heard, *new]
    environment(host, **KEYS)


def test_sns_is_away_for_a_while(host: Machine, topic: Topic, aws: Aws) -> None:
    """What happens meanwhile waits, is seen to wait, and arrives: of each failure in its order, once."""
    aws.down()
    refused, misnamed = INCIDENTS["a configuration that the agent refuses"], INCIDENTS["appspec.yaml"]
    do(refused, host)
    host.until("agentdoctor status | grep -q 'alerts: 1 waiting'")
    host.until("agentdoctor status | grep -q 'failing since .*Network'")
    mend(refused, host)
    host.until("agentdoctor status | grep -q 'alerts: 2 waiting'")
    assert misnamed.deploys
    host.deploy("d-AAAAAAAAA", misnamed.deploys)
    host.until("agentdoctor status | grep -q 'alerts: 3 waiting'")
    assert active(host.check())[misnamed.id] == "confirmed"
    aws.up()
    arrives(host, topic, refused.id, "opened", "recovered")
    arrives(host, topic, misnamed.id, "opened")
    told(host)


def test_settings_that_the_service_has_not_read(host: Machine, topic: Topic) -> None:
    """The sender keeps to the file, the service to what it read. Status says what to do; what waited goes at once."""
    missing = INCIDENTS["no AppSpec"]
    assert missing.deploys
    host.run("sed -i 's/codedeploy-alerts/others/' /etc/agentdoctor/agentdoctor.yaml")
    host.run("systemctl stop 'agentdoctor-send@*'")  # one that is at work has read the old ones
    host.deploy("d-BBBBBBBBB", missing.deploys)
    host.until("agentdoctor status | grep -q 'NotInSettings .*systemctl reload agentdoctor'")
    assert messages(topic, missing.id) == []
    configure(host, topic)
    arrives(host, topic, missing.id, "opened")
    told(host)
