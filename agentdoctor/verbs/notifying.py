"""The verb that tries the alert path: a marked test message, and all that is known about where it went."""

from __future__ import annotations

import argparse
import json
import os
import select
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentdoctor.host import Host
from agentdoctor.outbox import Letter
from agentdoctor.scrub import line
from agentdoctor.settings import Settings
from agentdoctor.sinks.advice import NO_TOPIC, Advice, advise, refused
from agentdoctor.sinks.message import compose
from agentdoctor.sinks.sending import Reply, Sender
from agentdoctor.sinks.topic import Topic
from agentdoctor.verbs import settings_of
from agentdoctor.verbs.output import write

SCHEMA = "agentdoctor.notify/1"
SENT, REFUSED, NOT_KNOWN = 0, 2, 3
_PUBLISH_SECONDS = 25.0
_ASK_SECONDS = 12.0  # for who we are and who listens: nice to know
_NO_ANSWER = Reply("", error="SenderLost", kind="retry", text="no answer")


@dataclass(frozen=True)
class Attempt:
    """What became of a test message. Without a topic nothing was tried."""

    topic: Topic | None
    endpoint_url: str | None
    published: Reply
    identity: Reply
    subscriptions: Reply

    @property
    def sent(self) -> bool:
        return bool(self.published.message_id)

    @property
    def exit_code(self) -> int:
        if self.sent:
            return SENT
        return REFUSED if self.topic and refused(self.published.error, self.published.kind) else NOT_KNOWN

    @property
    def who(self) -> str:
        return str(self.identity.more.get("identity", ""))

    @property
    def advice(self) -> Advice | None:
        if self.sent:
            return None
        if self.topic is None:
            return Advice("no topic is configured, so alerts go to the journal alone", NO_TOPIC)
        return advise(self.published.error, self.topic, self.who, self.endpoint_url)


def notify_test(options: argparse.Namespace) -> int:
    """Send a test message, the way the service sends alerts, and print what came of it."""
    settings = settings_of(options)
    attempt = _attempt(settings, settings.topic) if settings.topic else Attempt(None, None, *[_NO_ANSWER] * 3)
    write(json.dumps(document(attempt), indent=2) + "\n" if options.format == "json" else as_text(attempt))
    return attempt.exit_code


def _attempt(settings: Settings, topic: Topic) -> Attempt:
    sender = Sender(answer_seconds=_PUBLISH_SECONDS)
    host = _host(settings)
    where = {"topic_arn": topic.arn, "endpoint_url": settings.sns_endpoint_url}
    params = compose(_letter(host), time.time(), topic.fifo, host)
    try:
        published = _asked(sender, {"key": "publish", **where, "params": params}, _PUBLISH_SECONDS)
        identity = subscriptions = published._replace(text=published.error)
        if published.error not in ("Network", "UnknownRegion", "SenderLost", "NoBoto3", "NoCredentials"):
            end = time.monotonic() + _ASK_SECONDS
            asks = [{"key": ask, "ask": ask, **where} for ask in ("subscriptions", "identity")]
            subscriptions, identity = (_asked(sender, ask, end - time.monotonic()) for ask in asks)
    finally:
        sender.close(0.0)
    return Attempt(topic, settings.sns_endpoint_url, published, identity, subscriptions)


def _asked(sender: Sender, request: Mapping[str, Any], seconds: float) -> Reply:
    """The answer to one request, or that there was none in time."""
    end = time.monotonic() + seconds
    sender.submit(request)
    while (left := end - time.monotonic()) > 0:
        for answer in sender.answers():
            return answer
        ready = select.poll()
        ready.register(sender.fileno(), select.POLLIN)
        ready.poll(min(left, 1.0) * 1000)
    return _NO_ANSWER._replace(text=f"no answer within {seconds:.0f} s")


def _host(settings: Settings) -> dict[str, Any]:
    """Who this host is, as far as it can be told within a second."""
    from agentdoctor.asking import Asker

    asker = Asker(Host(imds_endpoint=settings.imds_endpoint), 1.0, network=False)
    asker.start({"imds.document"})
    known = asker.ask("imds.document").value or {}
    return {"name": os.uname().nodename, "instance_id": known.get("instance_id"), "region": known.get("region")}


def _letter(host: Mapping[str, Any]) -> Letter:
    finding = {
        "id": "test-message",
        "title": "This is a test of the alert path; nothing is wrong",
        "cause": "Somebody typed agentdoctor notify test on this host. Alerts look like this and come the same way.",
        "severity": "info",
        "state": "active",
    }
    return Letter(
        key=f"test-{uuid.uuid4()}",
        event="test",
        rule="test-message",
        severity="info",
        instance_id=str(host.get("instance_id") or host["name"]),
        deployment_group="",
        fingerprint="test",
        created_at=time.time(),
        body=json.dumps(finding),
    )


def document(attempt: Attempt) -> dict[str, Any]:
    """The attempt as plain values, of schema agentdoctor.notify/1."""
    topic, advice, listed = attempt.topic, attempt.advice, attempt.subscriptions
    known = {name: listed.more.get(name) for name in ("confirmed", "pending", "more")}
    return {
        "schema": SCHEMA,
        "sent": attempt.sent,
        "exit_code": attempt.exit_code,
        "topic_arn": topic.arn if topic else None,
        "region": topic.region if topic else None,
        "endpoint_url": attempt.endpoint_url,
        "identity": attempt.who or None,
        "message_id": attempt.published.message_id or None,
        "subscriptions": known if listed.more else None,
        "error": advice
        and {
            "code": attempt.published.error if topic else "NoTopic",
            "kind": attempt.published.kind if topic else None,
            "summary": advice.summary,
            "text": attempt.published.text if topic else "",
            "fix": advice.fix,
            "policy": advice.policy,
        },
    }


def as_text(attempt: Attempt) -> str:
    """The same for people."""
    advice, topic = attempt.advice, attempt.topic
    rows = [f"NOT SENT: {advice.summary}" if advice else "SENT: a test message is at the topic", ""]
    if topic:
        rows += [_row("topic", topic.arn), _row("region", topic.region)]
        rows += [_row("endpoint", attempt.endpoint_url)] if attempt.endpoint_url else []
        rows += [_row("identity", attempt.who or f"not known ({_why(attempt.identity)})")]
        rows += [_row("message id", attempt.published.message_id)] if attempt.sent else []
        rows += [_row("subscribers", _listed(attempt.subscriptions))]
    if advice and topic:
        rows.append(_row("reason", f"{attempt.published.error}: {attempt.published.text}"))
    if advice:
        rows.append(_row("fix", advice.fix))
    if advice and advice.policy:
        rows += ["", json.dumps(advice.policy, indent=2)]
    return "\n".join(rows) + "\n"


def _row(label: str, text: str) -> str:
    return f" {label:<12} {line(text)}"


def _why(answer: Reply) -> str:
    return answer.text or answer.error


def _listed(answer: Reply) -> str:
    """Who gets it; without the permission to list them it is not known, which is no failure."""
    if not answer.more:
        return f"not known ({_why(answer)})"
    confirmed, pending = answer.more["confirmed"], answer.more["pending"]
    text = f"{confirmed} confirmed{' or more' if answer.more['more'] else ''}"
    if pending:
        text += f", {pending} not confirmed yet: each has to follow the link in the mail from AWS"
    return text if confirmed or pending else "none: nobody gets this"
