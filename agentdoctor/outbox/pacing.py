"""How long to wait: for a slot among a fleet's hosts, after a failure, and for the right to tell one thing more.

Times are seconds; ``chance`` is a random number from 0 to 1. Ten thousand hosts that lose one endpoint in the same
second must not publish in the same second, neither the first time nor when it is back.
"""

from __future__ import annotations

from typing import NamedTuple

from agentdoctor.digests import hexadecimal

RETRY_FIRST, RETRY_MOST = 2.0, 900.0
HOLD_LEAST, HOLD_MOST = 300.0, 3600.0
TOKENS, TOKEN_SECONDS = 10.0, 360.0  # a host may tell ten things at once, and then ten an hour
_SECONDS_PER_HOST, _SPREAD_LEAST, _SPREAD_MOST = 0.6, 30.0, 900.0


def spread(hosts: int) -> float:
    """Over how long a fleet of so many hosts spreads what all of them see."""
    return min(max(hosts * _SECONDS_PER_HOST, _SPREAD_LEAST), _SPREAD_MOST)


def slot(instance_id: str, rule: str, seconds: float) -> float:
    """The place of this host within that time: of a rule always the same one, so that a restart changes nothing."""
    digest = bytes.fromhex(hexadecimal(instance_id, rule))
    return seconds * int.from_bytes(digest[:8], "big") / 2**64


def backoff(kind: str, failures: int, chance: float) -> float:
    """How long to wait after so many failures in a row: full jitter, so that hosts which failed together part."""
    doubled = 2.0 ** min(failures, 20)
    if kind == "hold":  # somebody must mend it, so haste helps nobody
        return HOLD_LEAST + chance * (min(HOLD_LEAST * doubled, HOLD_MOST) - HOLD_LEAST)
    return chance * min(RETRY_FIRST * doubled / 2, RETRY_MOST)


class Bucket(NamedTuple):
    """The right to tell: a token for each letter, refilled with time."""

    tokens: float = TOKENS
    at: float = 0.0

    def after(self, now: float) -> Bucket:
        """The same bucket at a later time."""
        return Bucket(min(TOKENS, self.tokens + max(0.0, now - self.at) / TOKEN_SECONDS), now)
