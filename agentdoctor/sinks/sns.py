"""The child that speaks to AWS: ``python -m agentdoctor.sinks.sns [SETTINGS]``. Only here is boto3 loaded.

A line of JSON on standard input is a request, a line on standard output its answer, in the same order. It reads no log
and ends when its input does. Credentials are found by boto3, the way every tool of AWS does. With a file of settings it
speaks to the topic and the endpoint that stand there and to no other: who asks reads the words of strangers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from agentdoctor import settings
from agentdoctor.sinks import refusals
from agentdoctor.sinks.topic import Topic, parse

_LINE_LIMIT = 2 << 20  # bytes; the largest message, escaped twice, has less than half of it
_PAGES = 5  # of subscriptions, 100 each
CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0  # boto3's own are 60 and 60

Request = Mapping[str, Any]
Reply = dict[str, Any]
Client = Any  # boto3 has no types


class Clients:
    """A client for each service, place and endpoint, made when first needed."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str | None], Client] = {}

    def get(self, service: str, region: str, endpoint_url: str | None) -> Client:
        """A client that gives up within seconds: trying again later is the outbox's work."""
        import boto3
        from botocore.config import Config

        key = (service, region, endpoint_url)
        if key not in self._made:
            config = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 2},
            )
            # not the default session: that one would remember that there were no credentials
            self._made[key] = boto3.session.Session().client(
                service, region_name=region, endpoint_url=endpoint_url, config=config
            )
        return self._made[key]

    def forget(self) -> None:
        """Look for credentials anew: a role may have been attached since."""
        self._made.clear()


def publish(request: Request, topic: Topic, clients: Clients) -> Reply:
    """Publish; ``message_id`` is the receipt."""
    client = clients.get("sns", topic.region, request.get("endpoint_url") or None)
    reply = client.publish(**{**request["params"], "TopicArn": topic.arn})
    return {"message_id": reply["MessageId"]}


def identity(request: Request, topic: Topic, clients: Clients) -> Reply:
    """Whose credentials these are."""
    endpoint = request.get("endpoint_url") or None
    stand_in = endpoint if endpoint and ".amazonaws.com" not in endpoint else None  # it stands for all of AWS
    return {"identity": clients.get("sts", topic.region, stand_in).get_caller_identity()["Arn"]}


def subscriptions(request: Request, topic: Topic, clients: Clients) -> Reply:
    """How many subscriptions are confirmed and how many wait for it; ``more`` if there are still others."""
    client = clients.get("sns", topic.region, request.get("endpoint_url") or None)
    arns: list[str] = []
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        page = client.list_subscriptions_by_topic(TopicArn=topic.arn, **token)
        arns += [entry["SubscriptionArn"] for entry in page["Subscriptions"]]
        if not page.get("NextToken"):
            token = {}
            break
        token = {"NextToken": page["NextToken"]}
    pending = arns.count("PendingConfirmation")
    confirmed = sum(arn.startswith("arn:") for arn in arns)
    return {"confirmed": confirmed, "pending": pending, "more": bool(token)}


ASKED: Mapping[str, Callable[[Request, Topic, Clients], Reply]] = {
    "publish": publish,
    "identity": identity,
    "subscriptions": subscriptions,
}


def elsewhere(request: Request, topic: Topic, path: str) -> str:
    """Why a request must not be done by the settings, "" if it may. ``path``: of the settings."""
    try:
        known = settings.load(path)
    except settings.SettingsError as error:
        return f"the sender cannot read its settings: {error}"
    if (known.topic, known.sns_endpoint_url) == (topic, request.get("endpoint_url") or None):
        return ""
    return "the settings name another topic or endpoint by now: sudo systemctl reload agentdoctor"


def answered(line: bytes, clients: Clients, path: str | None = None) -> Reply:
    """The answer to one line, whatever is in it. ``path``: of the settings that bind us; without it nothing does."""
    key = ""
    try:
        request = json.loads(line)
        key = str(request["key"])
        ask = ASKED[request.get("ask", "publish")]
        if ask is publish and not isinstance(request["params"], dict):
            raise TypeError("params is no object")
        arn = str(request["topic_arn"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return {"key": key, "error": "BadRequest", "kind": refusals.POISON, "text": f"{type(error).__name__}: {error}"}
    try:
        topic = parse(arn)
    except ValueError as error:  # no fault of the letter
        return {"key": key, "error": "InvalidTopic", "kind": refusals.HOLD, "text": str(error)}
    why = elsewhere(request, topic, path) if path else ""
    if why:
        return {"key": key, "error": "NotInSettings", "kind": refusals.HOLD, "text": why}
    try:
        return {"key": key, **ask(request, topic, clients)}
    except Exception as error:  # noqa: BLE001 - whatever boto3 raises, a letter must get its answer
        refusal = refusals.of(error, topic, time.time())
        if refusal.kind != refusals.POISON:
            clients.forget()
        return {"key": key, "error": refusal.code, "kind": refusal.kind, "text": refusal.text}


def serve(requests: BinaryIO, answers: BinaryIO, path: str | None = None) -> None:
    """Reply each line until the input ends. A line that is too long is passed over and answered as a bad one."""
    clients = Clients()
    while line := requests.readline(_LINE_LIMIT):
        whole = line
        while not line.endswith(b"\n") and (line := requests.readline(_LINE_LIMIT)):
            whole = b""
        if whole.strip() or not whole:
            answers.write(json.dumps(answered(whole, clients, path)).encode() + b"\n")
            answers.flush()


def main() -> None:
    """Serve on the standard streams. What a library prints goes to standard error: answers alone are on the other."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        os.environ.setdefault("AWS_STS_REGIONAL_ENDPOINTS", "regional")  # old boto3 asks the other side of the world
        try:
            serve(sys.stdin.buffer, answers, *sys.argv[1:2])
        except (ConnectionError, KeyboardInterrupt):
            os._exit(0)  # nobody is there who could read an answer


if __name__ == "__main__":
    main()
