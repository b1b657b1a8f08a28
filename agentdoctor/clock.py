"""What time it is, in the three senses that a service needs."""

from __future__ import annotations

import time
from typing import NamedTuple


class Moment(NamedTuple):
    """One moment. ``wall`` is what people call it and may jump; for how long to wait only the others count."""

    wall: float  # seconds since the epoch
    steady: float  # the same as far as it was known when the process began: it never jumps
    monotonic: float  # seconds since some time


class Clock:
    """Tells moments."""

    def __init__(self) -> None:
        self._begin = time.time() - time.monotonic()

    def read(self) -> Moment:
        """This moment."""
        monotonic = time.monotonic()
        return Moment(time.time(), self._begin + monotonic, monotonic)
