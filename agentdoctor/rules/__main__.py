"""python -m agentdoctor.rules: compile the shipped rules."""

from agentdoctor.rules import compiled, from_sources

compiled.PATH.write_text(compiled.dump(from_sources()), encoding="utf-8")
