"""Prometheus' text format (version 0.0.4), for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Samples = list[tuple[Mapping[str, str], float]]
Family = tuple[str, str, Samples]  # a name without the program's, what it means, and the values by their labels


def written(families: Iterable[Family]) -> str:
    """All metrics, every one a gauge and without a time of its own: the collector refuses those that have one."""
    return "".join(_family(name, help_, samples) for name, help_, samples in families)


def _family(name: str, help_: str, samples: Samples) -> str:
    full = f"agentdoctor_{name}"
    rows = [f"# HELP {full} {help_}", f"# TYPE {full} gauge"]
    rows += [f"{full}{_braces(labels)} {_number(value)}" for labels, value in samples]
    return "\n".join(rows) + "\n"


def _braces(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    """A label's value as the format wants it: backslash, quote and line break escaped."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    """Milliseconds are enough, and an exponent helps nobody who reads the file."""
    return str(value) if isinstance(value, int) else f"{value:.3f}"
