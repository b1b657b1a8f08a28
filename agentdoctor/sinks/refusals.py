"""Why AWS did not take something: a code, what kind of trouble that is, and a line of text.

``retry``: it passes by itself. ``hold``: somebody has to change something, so ask seldom and say so. ``poison``: this
very message will never be taken. What is not known is ``hold`` when AWS said no, and ``retry`` otherwise, so that
nothing is given up.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from agentdoctor.nearest import nearest
from agentdoctor.scrub import cut, line
from agentdoctor.sinks.topic import Topic

RETRY, HOLD, POISON = "retry", "hold", "poison"
_TEXT_LIMIT = 500

# Codes as SNS and STS send them (botocore's service-2.json of SNS 2010-03-31; "Common Errors" of both references).
_RETRIED = re.compile(
    r"(?:Request)?Throttl\w*|KMSThrottling\w*|TooManyRequests\w*|RequestLimitExceeded|SlowDown|Internal\w*"
    r"|Service(?:Unavailable|Failure)\w*|RequestTimeout\w*|Expired\w*|RequestExpired"
)
_POISONED = re.compile(r"InvalidParameter\w*|ParameterValueInvalid|ValidationE\w+|MissingParameter")
_SKEWED = re.compile(r"RequestTimeTooSkewed|RequestExpired|RequestInTheFuture")
_SKEW_TEXT = re.compile(r"Signature (?:expired|not yet current)|Request has expired", re.IGNORECASE)
_NO_CREDENTIALS = (
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "MetadataRetrievalError",
    "TokenRetrievalError", "NoAuthTokenError", "ProfileNotFound", "ConfigParseError", "UnauthorizedSSOTokenError",
)  # fmt: skip
_MALFORMED = ("ParamValidationError", "UnicodeEncodeError")
# Of botocore; those that could not connect in time are of another branch than those that could not at all.
_NOT_REACHED = ("ConnectionError", "EndpointConnectionError", "HTTPClientError", "InvalidRegionError", "NoRegionError")


class Refusal(NamedTuple):
    """One refusal: of AWS, or of what lies before it."""

    code: str
    kind: str
    text: str


def of(error: Exception, topic: Topic, now: float) -> Refusal:
    """The refusal that an exception of boto3 means; by its name, since its classes moved between versions."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return _answered(response, now)
    names = {base.__name__ for base in type(error).__mro__}
    if isinstance(error, ImportError):
        return _refusal("NoBoto3", HOLD, f"boto3 cannot be loaded: {error}")
    if names.intersection(_NO_CREDENTIALS):
        return _refusal("NoCredentials", RETRY, str(error))
    if names.intersection(_MALFORMED):
        return _refusal("InvalidParameter", POISON, str(error))
    if names.intersection(_NOT_REACHED):
        return _not_reached(error, topic)
    return _refusal(type(error).__name__, RETRY, str(error))


def _answered(response: dict[str, Any], now: float) -> Refusal:
    code = str(response["Error"].get("Code") or "Unknown")
    text = str(response["Error"].get("Message") or "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if _SKEWED.fullmatch(code) or _SKEW_TEXT.search(text):
        return _refusal("ClockSkew", RETRY, f"{_clock(response, now)}{text}")
    if "TopicArn" in text and _POISONED.fullmatch(code):
        return _refusal("InvalidTopic", HOLD, text)  # no message of any kind would be taken
    if _RETRIED.fullmatch(code) or status == 429 or status >= 500:
        return _refusal(code, RETRY, text)
    return _refusal(code, POISON if _POISONED.fullmatch(code) or status == 413 else HOLD, text)


def _clock(response: dict[str, Any], now: float) -> str:
    """How far this clock is off, by the time stamp of the answer; empty when that has none."""
    stamp = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        off = now - parsedate_to_datetime(stamp).timestamp()
    except (TypeError, ValueError):
        return ""
    return f"the clock of this host is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} that of AWS: "


def _not_reached(error: Exception, topic: Topic) -> Refusal:
    regions = _regions(topic)
    if regions and topic.region not in regions:
        near = nearest(topic.region, regions)
        return _refusal("UnknownRegion", HOLD, f"there is no region {topic.region!r}{near}: {error}")
    return _refusal("Network", RETRY, f"{type(error).__name__}: {error}")


def _regions(topic: Topic) -> list[str]:
    """The regions that this boto3 knows; new ones may be missing, so they are asked for only after a failure."""
    try:
        import boto3

        known: list[str] = boto3.session.Session().get_available_regions("sns", topic.partition)
    except Exception:  # noqa: BLE001 - it only makes an error message better
        return []
    return known


def _refusal(code: str, kind: str, text: str) -> Refusal:
    return Refusal(cut(line(code), 80), kind, cut(line(text), _TEXT_LIMIT))
