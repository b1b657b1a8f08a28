"""The service beside its peers: what it costs at rest, how soon it sees a line, how it takes a burst, when it tells."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import generate
import peers
from generate import MB, Plan
from measure import median
from sinks.fake_sns import FakeSns, fake_sns

from agentdoctor.doctor import Doctor
from agentdoctor.grammars import Source
from agentdoctor.logs import read
from agentdoctor.model import Rule, Sample, State
from agentdoctor.service import FLEET_AREAS
from agentdoctor.settings import load

TOP = Path(__file__).resolve().parent.parent.parent
LOG = "var/log/aws/codedeploy-agent/codedeploy-agent.log"
POLL = "INFO  [codedeploy-agent(21)]: Version file found in /opt/codedeploy-agent/.version with agent version x."
REST_SECONDS, LINES, APART = 40, 200, 0.04
_STAMP = re.compile(r"^[\dT: -]+")
_ALERTS = 9  # a host may tell ten things at once


class Ours:
    """The service on a tree of its own, and where it is in the log."""

    def __init__(self, folder: Path, sns: dict[str, Any] | None = None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.log = folder / "root" / LOG
        self.log.parent.mkdir(parents=True)
        (folder / "root/etc").mkdir()
        self.log.write_text(f"{stamp()} {POLL}\n")
        settings = {"root": str(folder / "root"), "state_dir": str(folder / "state"), "rules_dir": str(folder / "none")}
        values = {**settings, "sns": sns or {}}
        path = folder / "settings.yaml"
        path.write_text(json.dumps(values))
        known = json.dumps(asdict(load(str(path))))  # read here: the daemon itself never loads what reads YAML
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "follower.py"), str(path), known],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=TOP,
            env={**os.environ, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"},
        )
        self._unread = b""
        self.until(self.log.stat().st_size)

    def seen(self, seconds: float) -> Iterator[tuple[int, int]]:
        """What it says it has read by now: nanoseconds and offset."""
        assert self.process.stdout
        if select.select([self.process.stdout], [], [], seconds)[0]:
            *lines, self._unread = (self._unread + os.read(self.process.stdout.fileno(), 1 << 16)).split(b"\n")
            for line in lines:
                at, offset = line.split()
                yield int(at), int(offset)

    def until(self, offset: int) -> int:
        """Wait until it has read so far; when that was, in nanoseconds."""
        while True:
            for at, done in self.seen(60.0):
                if done >= offset:
                    return at

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()


@contextlib.contextmanager
def doctor(folder: Path, sns: dict[str, Any] | None = None) -> Iterator[Ours]:
    one = Ours(folder, sns)
    try:
        yield one
    finally:
        one.close()


def stamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S")


@contextlib.contextmanager
def fail2ban(folder: Path, rules: Sequence[Rule]) -> Iterator[int]:
    """fail2ban-server with one jail that looks for the same; its process."""
    server = peers.find("fail2ban-server")
    home = Path(tempfile.mkdtemp(dir=folder))
    for name in ("filter.d", "action.d"):
        (home / name).mkdir()
    shutil.copy(peers.for_fail2ban(rules, home), home / "filter.d/agent.conf")
    (home / "agent.log").write_text("")
    own = {"loglevel": "INFO", "logtarget": home / "own.log", "socket": home / "socket", "pidfile": home / "pid"}
    rest = {"dbfile": "None", "syslogsocket": "auto", "dbpurgeage": "1d", "dbmaxmatches": 10, "allowipv6": "auto"}
    lines = [f"{name}={value}" for name, value in {**own, **rest}.items()]
    (home / "fail2ban.conf").write_text("\n".join(["[Definition]", *lines, "[Thread]", ""]))
    jail = f"[DEFAULT]\nbackend=pyinotify\n[agent]\nenabled=true\nfilter=agent\nlogpath={home / 'agent.log'}\n"
    (home / "jail.conf").write_text(f"{jail}maxretry=9999\nfindtime=10\nbantime=10\naction=\nusedns=no\n")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([server, "-c", str(home), "-f", "start"], **quiet)  # type: ignore[call-overload]
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def at_rest(pid: int, seconds: float) -> tuple[float, float, float]:
    """Memory in MB; processor time in ms and wake-ups, both per minute, with its children."""
    before = _spent(pid), _switches(pid)
    time.sleep(seconds)
    memory = int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) / 1024
    minutes = seconds / 60
    return memory, (_spent(pid) - before[0]) / minutes, (_switches(pid) - before[1]) / minutes


def _threads(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def _spent(pid: int) -> float:
    """Milliseconds on a processor, of threads and of children that ended."""
    own = sum(int((thread / "schedstat").read_text().split()[0]) for thread in _threads(pid)) / 1e6
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return own + sum(map(int, fields[13:15])) * 1000 / os.sysconf("SC_CLK_TCK")


def _switches(pid: int) -> int:
    texts = ((thread / "status").read_text() for thread in _threads(pid))
    return sum(int(re.findall(r"\nvoluntary_ctxt_switches:\s+(\d+)", text)[0]) for text in texts)


def latencies(folder: Path) -> tuple[list[float], list[float]]:
    """Milliseconds from the write of a lone line until the service, and the reader of a ``tail -F``, had it."""
    with doctor(folder) as ours:
        tail = subprocess.Popen(["tail", "-n", "0", "-F", str(ours.log)], stdout=subprocess.PIPE)
        assert tail.stdout
        time.sleep(1.0)
        mine, theirs = [], []
        with ours.log.open("ab", buffering=0) as log:
            for number in range(LINES):
                line = f"{stamp()} {POLL} {number}\n".encode()
                began = time.monotonic_ns()
                log.write(line)
                theirs.append((_read(tail.stdout.fileno(), len(line)) - began) / 1e6)
                mine.append((ours.until(ours.log.stat().st_size) - began) / 1e6)
                time.sleep(APART)
        tail.kill()
        tail.wait()
        tail.stdout.close()
    return mine[10:], theirs[10:]


def _read(descriptor: int, count: int) -> int:
    while count > 0:
        count -= len(os.read(descriptor, count))
    return time.monotonic_ns()


def burst(folder: Path, rules: Sequence[Rule], errors: float) -> tuple[float, float, float]:
    """A million lines at once: ms until all are read, the same for tail and grep, and what memory they cost in MB."""
    source = generate.agent_log(folder, Plan(150 * MB, errors), rules)
    text = source.read_bytes()
    peak = re.compile(r"VmHWM:\s+(\d+)")
    with doctor(folder / "burst") as ours:
        status = Path(f"/proc/{ours.process.pid}/status")
        time.sleep(3.0)
        before = int(re.findall(r"VmRSS:\s+(\d+)", status.read_text())[0])
        began = time.monotonic_ns()
        _append(ours.log, text)
        mine = (ours.until(ours.log.stat().st_size) - began) / 1e6
        memory = (int(peak.findall(status.read_text())[0]) - before) / 1024
    other = folder / "burst.log"
    other.write_bytes(b"")
    count = sum(b" ERROR " in line for line in text.split(b"\n")) + 1
    command = f"exec tail -n 0 -F {other} | grep -a -m {count} -c -e ' ERROR ' -e THE-END"
    follower = subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, start_new_session=True)
    assert follower.stdout
    time.sleep(1.0)
    began = time.monotonic_ns()
    _append(other, text)
    _append(other, b"THE-END\n")
    assert int(follower.stdout.readline()) == count  # which it prints when it has counted them all
    theirs = (time.monotonic_ns() - began) / 1e6
    follower.stdout.close()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(follower.pid, signal.SIGKILL)
    follower.wait()
    other.unlink()
    return mine, theirs, memory


def _append(path: Path, text: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        view = memoryview(text)
        while view:
            view = view[file.write(view[: 1 << 20]) :]


def alerts(folder: Path, rules: Sequence[Rule]) -> list[float]:
    """Milliseconds from the write of a failure's line to the request at the topic; without the first of each run."""
    took = []
    with fake_sns() as topic:
        sns = {"topic_arn": "arn:aws:sns:eu-west-1:123456789012:alerts", "endpoint_url": topic.url}
        for _ in range(3):
            with doctor(folder / "alerts", sns) as ours:
                run = []
                for text in _lone(rules):
                    run.append(_until_published(ours, topic, f"{stamp()} {text}\n"))
                    time.sleep(2.5)  # else it would be the same occurrence
            took += run[1:]
    return took


def _until_published(ours: Ours, topic: FakeSns, line: str) -> float:
    before, began = len(topic.received), time.monotonic_ns()
    _append(ours.log, line.encode())
    while len(topic.received) == before:
        if time.monotonic_ns() - began > 20e9:
            return float("inf")
        time.sleep(0.001)
    return (time.monotonic_ns() - began) / 1e6


def _lone(rules: Sequence[Rule]) -> list[str]:
    """Entries of the agent's log, each of which is one more finding that is told at once and hides no other."""
    found: list[str] = []
    for rule in rules:
        entries = (_STAMP.sub("", sample.text.partition("\n")[0]) for sample in rule.samples if _plain(sample))
        found += [text for text in list(entries)[:1] if _told(rules, [*found, text]) == len(found) + 1]
        if len(found) == _ALERTS:
            break
    return found


def _plain(sample: Sample) -> bool:
    return sample.match and sample.log == "agent" and sample.agent.startswith("1.")


def _told(rules: Sequence[Rule], entries: Sequence[str]) -> int:
    """How many findings the entries are, each of them told at once; 0 if any is not."""
    known = Doctor(rules)
    text = "".join(f"2026-11-25T12:00:{5 * number:02} {entry}\n" for number, entry in enumerate(entries))
    for record in read(io.BytesIO(text.encode()), Source("x"), known.wanted):
        known.observe(record)
    findings = known.findings(0.0)
    late = [x for x in findings if x.rule.hold or not x.severity.rank or x.rule.area in FLEET_AREAS]
    return 0 if late or any(x.state is not State.ACTIVE for x in findings) else len(findings)


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


__all__ = ["alerts", "at_rest", "burst", "doctor", "fail2ban", "latencies", "median", "quantile"]
