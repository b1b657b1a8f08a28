"""The service, turn by turn: read, judge, remember, tell."""

from __future__ import annotations

import json
import os
from typing import Any

from agentdoctor import judging, silences
from agentdoctor.clock import Clock, Moment
from agentdoctor.host import Host
from agentdoctor.life import Change, flapping
from agentdoctor.model import Evidence
from agentdoctor.outbox import Answer, Letter, spread
from agentdoctor.probes import service
from agentdoctor.probing import Prober
from agentdoctor.pulse import BEAT_SECONDS, Pulse, canary
from agentdoctor.rules import Catalogue
from agentdoctor.settings import Settings
from agentdoctor.sinks import journal
from agentdoctor.sinks.message import compose, minimal
from agentdoctor.sinks.sending import Sender
from agentdoctor.store import Store
from agentdoctor.systemd import say
from agentdoctor.textfile import Textfile
from agentdoctor.waking import Waking
from agentdoctor.watching import Watch

HOOKS_SECONDS = 60.0  # between two looks at what hooks printed last
REST_SECONDS = 5.0  # between two turns that do more than look for new lines, while there are none
BURST_SECONDS = 0.5  # of reading before what was read is stored; a turn must end within a second
TOLD = ("opened", "escalated", "recovered")  # to people; the rest is for the journal
FLEET_AREAS = ("network", "update")  # what fails there fails on all hosts at once


class Service:
    """The parts, and one turn of them."""

    def __init__(self, settings: Settings, loaded: Catalogue, store: Store, clock: Clock) -> None:
        self.settings, self.loaded, self.store = settings, loaded, store
        self._clock = clock
        at = self._clock.read()
        self.prober = Prober(settings.root, settings.imds_endpoint)
        host = Host.at(settings.root, settings.imds_endpoint)
        self.watch = Watch(host, loaded.rules, self.prober, store.state, at.wall)
        self._sender = Sender()
        self._pulse = Pulse(settings.state_dir)
        self._textfile = Textfile(settings.textfile)
        self._waking = Waking([], canary(settings.state_dir))
        self._waking.start()
        self._done: dict[str, float] = {}
        self._stored: object = None
        self._seen: object = None  # of all files, at a glance

    @property
    def more(self) -> bool:
        """Whether there is more to read at once."""
        return self.watch.more

    def descriptors(self) -> list[int]:
        """Files that say something of their own accord: file events, the journal, the sender."""
        journal = self.watch.journal.fileno() if self.watch.journal else None
        found = (self._waking.fileno(), journal, self._sender.fileno())
        return [one for one in found if one is not None and one >= 0]

    def turn(self, woken: bool = True) -> None:
        """Read what is new, judge if there is reason to, store all of it at once, send what is due.

        Where nothing is new and nothing has ``woken`` us, what waits for a time may wait for a few seconds more.
        """
        if woken:
            self._waking.hear()
        at = self._clock.read()
        full = self._due("rest", REST_SECONDS, at) or woken or self._sender.busy
        if not full and self._nothing_happened():
            return
        letters: list[Letter] = []
        self._read(at)
        if not (full or self.more or self.watch.version != self._stored):
            return
        if self._due("hooks", HOOKS_SECONDS, at):
            self.watch.hooks(at.wall)
        if not self.more and self.watch.wants_judgement(at.monotonic):
            quiet = silences.load(self.settings.state_dir, at.wall)
            letters = self._told(self.watch.decide(at, self._own(at), quiet), at)
        beat = self._due("beat", BEAT_SECONDS, at)
        if beat or letters or self.watch.version != self._stored:
            self._keep(letters)
        self._send(at)
        if beat:
            self._waking.watch([family.directory for family in self.watch.families if not family.public])
            self._waking.tick(at.monotonic)
            self.prober.rest()
            self._pulse.beat(self._vital())
            self._textfile.write(self.watch.judge.run, silences.load(self.settings.state_dir, at.wall))

    def _nothing_happened(self) -> bool:
        """Whether no file changed since the last turn that nothing woke, as nearly always. It takes no reading."""
        before, self._seen = self._seen, None if self.more else self.watch.tailer.glance()
        return self._seen is not None and self._seen == before

    def _read(self, at: Moment) -> None:
        """What is new; of a burst as much as can be read before others have waited for long."""
        self.watch.read(at)
        while self.more and self._clock.read().monotonic - at.monotonic < BURST_SECONDS:
            self.watch.read(at)

    def _due(self, what: str, seconds: float, at: Moment) -> bool:
        """Whether it is time again for what has time."""
        due = at.monotonic - self._done.get(what, -seconds) >= seconds
        if due:
            self._done[what] = at.monotonic
        return due

    def _own(self, at: Moment) -> dict[str, Evidence]:
        """What the service knows of itself, in the form of probes."""
        path, broken, trouble = self.store.outbox.path, self.loaded.broken, self.store.trouble
        ids = sorted(set(flapping(self.watch.judge.lives)))
        self.watch.facts["flapping"] = ids
        values = {
            "rules.site": {"broken": len(broken), "first": broken[0] if broken else ""},
            "service.alerts": service.told(path._asdict() if path else {}, at.steady),
            "service.findings": {"flapping": len(ids), "ids": ", ".join(ids)},
            "service.logs": service.gaps(self.watch.facts["gaps"], at.wall),
            "service.state": {"durable": trouble is None, "why": trouble.why if trouble else ""},
        }
        return {name: Evidence(name, "disk", value) for name, value in values.items()}

    def _told(self, changes: list[Change], at: Moment) -> list[Letter]:
        """The letters for people. The journal gets its entries before they are stored: twice is better than never."""
        letters = [self.letter(change, at) for change in changes]
        for letter in letters:
            journal.tell(letter)
        wanted = self.settings.topic is not None
        return [letter for letter in letters if wanted and letter.event in TOLD and letter.severity != "info"]

    def _keep(self, letters: list[Letter]) -> None:
        """Positions, findings and letters in one transaction; nothing is written where nothing changed."""
        self._stored = self.watch.version
        self.store.save(self.watch.state(), letters)
        for notice in self.store.notices:
            say(3, notice.text)
        self.store.notices.clear()

    def letter(self, change: Change, at: Moment) -> Letter:
        """A change as it is told."""
        finding, host = change.life.document, self.watch.judge.host
        rule = self.watch.judge.doctor.rules[change.life.rule]
        known = change.instead_of
        body = {
            **finding,
            "event": change.event,
            "again": change.again,
            "supersedes": {"id": known["id"], "fingerprint": known["fingerprint"]} if known else None,
            "host": host,
        }
        return Letter(
            key=change.key,
            event=change.event,
            rule=rule.id,
            severity=finding["severity"],
            instance_id=str(host.get("instance_id") or host.get("name") or ""),
            deployment_group=str((finding["deployment"] or {}).get("group_id") or ""),
            fingerprint=finding["fingerprint"],
            created_at=at.wall,
            body=json.dumps(body, ensure_ascii=False),
            spread=spread(self.settings.fleet_size) if rule.area in FLEET_AREAS else 0.0,
        )

    def _send(self, at: Moment) -> None:
        self.store.answered(Answer(*reply[:5]) for reply in self._sender.answers())
        topic = self.settings.topic
        if topic is None:
            return
        for row in self.store.to_send():
            letter, host = row.letter, self.watch.judge.host
            params = minimal(letter, topic.fifo) if row.minimal else compose(letter, at.wall, topic.fifo, host)
            request = {"topic_arn": topic.arn, "endpoint_url": self.settings.sns_endpoint_url, "params": params}
            self._sender.submit({"key": letter.key, **request})

    def status(self) -> str:
        """A line for the service manager."""
        wrong = judging.wrong(self.watch.judge.lives)
        logs = sum(os.path.exists(family.path) for family in self.watch.families)
        said = f"{wrong or 'no'} finding{'' if wrong == 1 else 's'}, {logs} logs followed"
        trouble = self.store.trouble
        return f"STATUS={said}" + (f"; state is only in memory: {trouble.why}" if trouble else "")

    def _vital(self) -> dict[str, Any]:
        """What those who look at the pulse want to know and the store does not say."""
        follower, trouble = self.watch.follower, self.store.trouble
        logs = {
            path: {**lag._asdict(), "last_at": follower.last_at.get(path)}
            for path, lag in self.watch.tailer.lag().items()
        }
        for path, count in follower.strange.items():
            logs.setdefault(path, {})["strange"] = count
        return {
            "logs": logs,
            "refused": self.watch.tailer.refused(),
            "events": self._waking.state,
            "journal": self.watch.journal.trouble if self.watch.journal else "not read: not this host's",
            "plain": journal.trouble(),
            "trouble": trouble._asdict() if trouble else None,
            "rules": len(self.loaded.rules),
        }

    def close(self, ends: bool = True) -> None:
        """End all processes and files; what is known is stored, the last receipts too.

        ``ends``: False where the same process begins anew at once, whose pulse stays meanwhile.
        """
        self._waking.stop()
        self.watch.close()
        self.prober.close()
        self.store.answered(Answer(*reply[:5]) for reply in self._sender.close())
        self.store.save(self.watch.state())
        self.store.close()
        if ends:
            self._pulse.stop()
