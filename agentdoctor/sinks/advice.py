"""What to do about a refusal of AWS: in plain words, with the least policy that helps. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agentdoctor.sinks.topic import FORM, Topic

NO_TOPIC = (
    f"Put the topic into /etc/agentdoctor/agentdoctor.yaml, as  sns: {{topic_arn: {FORM}}}"
    "  (aws sns list-topics shows those there are)"
)


class Advice(NamedTuple):
    """What it means, what to do, and the policy that allows it, if one is missing."""

    summary: str
    fix: str
    policy: Mapping[str, Any] | None = None


def advise(code: str, topic: Topic, identity: str = "", endpoint_url: str | None = None) -> Advice:
    """Advice for a code of ``refusals``. ``identity``: the ARN of who asked, if known."""
    for pattern, advice in _ADVICE:
        if re.fullmatch(pattern, code):
            return _about_region(_filled(advice, topic), topic, endpoint_url)
    if re.fullmatch(r"AuthorizationError\w*|AccessDenied\w*|NotAuthorized|InvalidSecurity\w*", code):
        return _not_authorised(topic, identity)
    if code.startswith("KMSAccessDenied"):
        return _key_denied(topic)
    return Advice("SNS refused it", "Read the reason; the outbox keeps alerts and tries again.")


def refused(code: str, kind: str) -> bool:
    """Whether it is known that nothing was sent and why, and no second try will help."""
    return kind in ("hold", "poison") or bool(re.fullmatch(r"NoCredentials|ClockSkew|Expired\w*", code))


# Code, what it means, what to do; {words} are of the topic.
_ADVICE: Sequence[tuple[str, Advice]] = (
    (
        r"NotFound\w*",
        Advice(
            "there is no such topic",
            "Check name, region and account: aws sns list-topics --region {region}. A topic exists in its region alone;"
            " create it with  aws sns create-topic --region {region} --name {name}",
        ),
    ),
    (
        "InvalidTopic",
        Advice(
            "the topic does not belong to where it was sent",
            "The region in the ARN, {region}, must be that of the endpoint.",
        ),
    ),
    ("UnknownRegion", Advice("the ARN names a region that does not exist", "Correct the region in sns.topic_arn.")),
    (
        "NoCredentials",
        Advice(
            "there are no credentials",
            "Attach an instance profile (aws ec2 associate-iam-instance-profile), or give the service credentials the"
            " usual way of AWS tools (AWS_PROFILE, ~/.aws). curl of the metadata service must work from this host.",
        ),
    ),
    (
        r"Expired\w*",
        Advice("the credentials have expired", "Renew them. Those of an instance profile renew themselves."),
    ),
    (
        "InvalidClientTokenId|UnrecognizedClient\\w*|SignatureDoesNotMatch|InvalidAccessKeyId|IncompleteSignature",
        Advice(
            "AWS does not know these credentials",
            "Correct or remove the keys that boto3 finds before the instance profile.",
        ),
    ),
    (
        "ClockSkew",
        Advice("the clock is wrong", "Correct it: sudo chronyc makestep, or sudo systemctl restart systemd-timesyncd"),
    ),
    (
        r"KMS(?:Disabled|InvalidState|NotFound|OptInRequired)\w*",
        Advice(
            "the key that encrypts the topic cannot be used",
            "Enable the key, or set another: aws sns set-topic-attributes --region {region} --topic-arn {arn}"
            " --attribute-name KmsMasterKeyId --attribute-value KEY",
        ),
    ),
    (
        "Network",
        Advice(
            "SNS could not be reached",
            "From this host https://sns.{region}.amazonaws.com must answer: route, security group, proxy (HTTPS_PROXY"
            " of the service), or a VPC endpoint of SNS, named in sns.endpoint_url if it has no private DNS.",
        ),
    ),
    (
        "SenderLost",
        Advice(
            "there was no answer in time",
            "It may have been sent. Look at the route to SNS, and at the load of this host.",
        ),
    ),
    ("NoBoto3", Advice("boto3 is not installed", "Install python3-boto3, or boto3 beside agentdoctor.")),
    (
        r"\w*Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|SlowDown",
        Advice("SNS asks to slow down", "Try again in a minute; the outbox does so by itself."),
    ),
    (
        r"Internal\w*|Service(?:Unavailable|Failure)\w*|RequestTimeout\w*|5\d\d",
        Advice("SNS has failed", "Try again; the outbox does so by itself."),
    ),
)


def _filled(advice: Advice, topic: Topic) -> Advice:
    return advice._replace(fix=advice.fix.format(**topic._asdict()))


def _about_region(advice: Advice, topic: Topic, endpoint_url: str | None) -> Advice:
    """The same, where the endpoint that was set is of another region than the topic."""
    there = re.search(r"sns[.-](?:fips\.)?([a-z]+(?:-[a-z]+)+-\d)\.", endpoint_url or "")
    if not there or there[1] == topic.region:
        return advice
    fix = f"sns.endpoint_url is in {there[1]}, the topic in {topic.region}: they must be in the same region."
    return advice._replace(summary="the region is wrong", fix=fix)


def _not_authorised(topic: Topic, identity: str) -> Advice:
    fix = "Attach this policy to the role of the instance, or correct what denies it (boundary, SCP, topic's policy)."
    account = identity.split(":")[4] if identity.count(":") >= 5 else topic.account
    if account != topic.account:
        fix += f" The topic is of account {topic.account}, its own policy must allow account {account} too."
    return Advice(f"not allowed: sns:Publish on {topic.arn}", fix, _policy(["sns:Publish"], topic.arn))


def _key_denied(topic: Topic) -> Advice:
    key = f"arn:{topic.partition}:kms:{topic.region}:{topic.account}:key/KEY"
    return Advice(
        f"not allowed: kms:GenerateDataKey and kms:Decrypt on the key of {topic.arn}",
        "Attach this policy to the role of the instance, KEY being the id of the topic's key"
        " (aws sns get-topic-attributes); the policy of the key must allow the role too.",
        _policy(["kms:GenerateDataKey*", "kms:Decrypt"], key),
    )


def _policy(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}
