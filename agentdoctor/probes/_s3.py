"""Names of S3, as a log may have them: whether one is AWS's own, so that it may be looked at."""

from __future__ import annotations

import re

# By the beginning of the Region's name, where it is not amazonaws.com (botocore's endpoints.json; the agent asks the
# metadata service, and falls back to the first two).
DOMAINS = (
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
)
USUAL = "amazonaws.com"
REGION = r"[a-z]{2,4}(?:-[a-z]+){1,3}-\d{1,2}"
_SUFFIXES = (USUAL, *(suffix for _, suffix in DOMAINS))
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# S3 user guide, "Methods for accessing a bucket" and "Accessing buckets with interface endpoints"; behind the bucket's
# name, or that of a VPC endpoint, and before the domain. Whatever else ends in amazonaws.com anybody may rent.
_SERVICE = re.compile(
    rf"(?:.+\.)?(?:s3(?:-fips|-accelerate|-external-1|-accesspoint|-accesspoint-fips|-{REGION})?|s3express-[a-z0-9-]+)"
    rf"(?:\.dualstack)?(?:\.{REGION})?(?:\.vpce)?",
    re.ASCII,
)


def is_s3(name: str) -> bool:
    """Whether a host is S3's by its name: of a bucket or not, FIPS, dual stack, accelerated, of a VPC endpoint."""
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return False
    before = (name.removesuffix(f".{suffix}") for suffix in _SUFFIXES if name.endswith(f".{suffix}"))
    return any(_SERVICE.fullmatch(service) for service in before)
