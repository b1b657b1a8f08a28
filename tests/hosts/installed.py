"""A host that keeps what is written to it, with the package on it, and AWS outside of it: the topic outlives the host.

A plugin of pytest (``-p installed``), for a network of its own, which ``alone.sh`` makes and host and topic share.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from incident import RESTART
from incidents import Incident
from machine import TOP, Machine, running
from service.stand import Topic, subscribed, wait_for

HOSTS = TOP / ".hosts"
PORT = 5000
PATIENCE = 120.0  # seconds; a rule that waits for half a minute is the longest
# Of the service, and of its children: a name that ends in a dash stands for all that go on from there.
DROP_INS = ("/etc/systemd/system/agentdoctor.service.d", "/etc/systemd/system/agentdoctor-.service.d")
STATE = "/var/lib/agentdoctor"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class Aws:
    """What stands for SNS and SQS: it may be away for a while and forgets nothing."""

    def __init__(self) -> None:
        """It is there at once."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.up()

    def up(self) -> None:
        """Answer again."""
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=PORT, verbose=False)
        self._server.start()

    def down(self) -> None:
        """Be away."""
        self._server.stop()


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """AWS, as far as alerts need it."""
    aws = Aws()
    yield aws
    aws.down()


@pytest.fixture(scope="module")
def topic(aws: Aws) -> Topic:
    """The topic of the operators, with a queue that gets its messages."""
    return subscribed(f"http://127.0.0.1:{PORT}", "codedeploy-alerts")


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A fresh machine of the suite that the module names."""
    with fresh(request.module.SUITE) as host:
        yield host


@contextmanager
def fresh(suite: str) -> Iterator[Machine]:
    """Boot a fresh Debian of this suite, with AWS's metadata service and the commands endpoint, without an agent."""
    place = HOSTS / f"e2e-{suite}"
    root = place / "root"
    subprocess.run(["umount", "--quiet", "--lazy", str(root)], check=False)  # of a run that was killed
    shutil.rmtree(place, ignore_errors=True)
    for name in ("upper", "work", "root"):
        (place / name).mkdir(parents=True)
    layers = f"lowerdir={HOSTS / suite},upperdir={place / 'upper'},workdir={place / 'work'}"
    subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", str(root)], check=True)
    try:
        bind = f"--bind-ro={TOP / 'tests'}:/agentdoctor/tests"
        with running(f"e2e-{suite}", root, bind, "--resolv-conf=off", "--timezone=off") as host:
            host.run("/agentdoctor/tests/hosts/guest/aws.sh")
            yield host
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)
        shutil.rmtree(place, ignore_errors=True)


def package(version: str = "") -> Path:
    """Build the .deb, of another version if one is named."""
    done = subprocess.run(
        [TOP / "packaging/deb.sh", *[version][: len(version)]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return TOP / done.stdout.strip()


def hand(host: Machine, deb: Path) -> str:
    """Put a file on the host: its path there."""
    place = Path(host.command[host.command.index("-D") + 1], "srv", deb.name)
    shutil.copy(deb, place)
    return f"/srv/{deb.name}"


def configure(host: Machine, topic: Topic) -> None:
    """What the README says to write, and the address of what stands for SNS here."""
    text = f"sns:\\n  topic_arn: {topic.arn}\\n  endpoint_url: {topic.url}\\n"
    host.run(f"printf '{text}' > /etc/agentdoctor/agentdoctor.yaml && systemctl reload agentdoctor")


def environment(host: Machine, **values: str) -> None:
    """Set the environment of the service and of its children, by drop-ins."""
    lines = "".join(f"Environment={name}={value}\\n" for name, value in values.items())
    for folder in DROP_INS:
        host.run(f"mkdir -p {folder} && printf '[Service]\\n{lines}' > {folder}/environment.conf")
    host.run("systemctl daemon-reload && systemctl restart agentdoctor")


def status(host: Machine) -> dict[str, Any]:
    """What ``agentdoctor status`` says, for machines."""
    return dict(json.loads(host.run("agentdoctor status --format json", check=False).stdout))


def known(host: Machine, rule: str) -> dict[str, Any]:
    """What the service knows of a rule; empty if nothing."""
    return next((finding for finding in status(host)["findings"] if finding["id"] == rule), {})


def journal(host: Machine, rule: str) -> list[str]:
    """The events of a rule that the journal tells to people."""
    found = host.run(f"journalctl -o json --no-pager AGENTDOCTOR_RULE={rule}", check=False).stdout
    events = [json.loads(line)["AGENTDOCTOR_EVENT"] for line in found.splitlines()]
    return [event for event in events if event in ("opened", "escalated", "recovered")]


def messages(topic: Topic, rule: str) -> list[dict[str, Any]]:
    """What arrived of a rule so far: the findings, with the event of each and the attributes of its message."""
    found = []
    for message in topic.messages():
        attributes = {name: value["Value"] for name, value in message["MessageAttributes"].items()}
        if attributes["rule"] == rule:
            found.append({**json.loads(message["Message"]), "attributes": attributes, "subject": message["Subject"]})
    return found


def arrives(host: Machine, topic: Topic, rule: str, *events: str) -> list[dict[str, Any]]:
    """Wait until just these messages of a rule have arrived, in this order."""

    def so() -> bool:
        return [message["event"] for message in messages(topic, rule)] == list(events)

    try:
        wait_for(so, f"{rule}: {events}", PATIENCE)
    except AssertionError:
        said = host.run("agentdoctor status; journalctl -u agentdoctor --no-pager -n 40", check=False).stdout
        raise AssertionError(f"wanted {rule}: {events}, arrived {topic.told()}\n{host.log()}\n{said}") from None
    return messages(topic, rule)


def do(incident: Incident, host: Machine) -> None:
    """Break the host in a known way."""
    host.aws(**incident.aws)
    host.run(incident.breaks)


def mend(incident: Incident, host: Machine) -> None:
    """And mend it."""
    host.aws()
    host.run(incident.mends if RESTART in incident.mends else f"{incident.mends}\n{RESTART}")


def main_pid(host: Machine) -> str:
    """The process of the service."""
    return host.run("systemctl show agentdoctor -p MainPID --value").stdout.strip()


def ready(host: Machine) -> None:
    """Wait until systemd says that the service is."""
    host.until('test "$(systemctl show agentdoctor -p ActiveState --value)" = active')


def told(host: Machine) -> None:
    """Wait until the service knows that all it had to tell has arrived."""
    host.until("agentdoctor status | grep -q 'alerts: 0 waiting'")
