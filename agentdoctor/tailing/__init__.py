"""Following logs: everything that is written is read, whatever becomes of the files meanwhile.

Polling is the truth; events only make it earlier. Agent files are never written, locked or moved.
"""

from __future__ import annotations

from agentdoctor.tailing.model import Consume, Family, Gap, Lag, Notice, Piece, Refused, Start
from agentdoctor.tailing.tailer import Tailer

__all__ = ["Consume", "Family", "Gap", "Lag", "Notice", "Piece", "Refused", "Start", "Tailer"]
