"""python -m agentdoctor."""

from agentdoctor.cli import main_script

main_script()
