"""What an agent 1.8.1 writes, entry by entry, without the stamps: polls, deployments that succeed, and failures.

Its log has the form ``STAMP LEVEL [program(pid)]: text`` (log.rb:30), with an empty line after each call of the SDK.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agentdoctor.model import Rule, Sample

ARN = 'host_identifier:"arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0"'
VERSION = (
    " INFO  [codedeploy-agent(21)]: Version file found in /opt/codedeploy-agent/.version"
    " with agent version OFFICIAL_1.8.1-99_deb.\n"
)
EVENTS = "ApplicationStop DownloadBundle BeforeInstall Install AfterInstall ApplicationStart ValidateService".split()

_SDK = "/opt/codedeploy-agent/vendor/gems/aws-sdk-core-3.168.1/lib/aws-sdk-core/plugins"
_PLUGIN = "/opt/codedeploy-agent/lib/instance_agent/plugins/codedeploy"
_POOL = (
    "/opt/codedeploy-agent/vendor/gems/concurrent-ruby-1.1.6/lib/concurrent-ruby/concurrent/executor"
    "/ruby_thread_pool_executor.rb"
)
_PLACES = {
    _SDK: "jsonvalue_converter.rb:16 idempotency_token.rb:19 param_converter.rb:26 response_paging.rb:12"
    " transfer_encoding.rb:26 helpful_socket_errors.rb:12 retry_errors.rb:360 http_checksum.rb:19"
    " endpoint_pattern.rb:30 user_agent.rb:13 endpoint_discovery.rb:84 param_validator.rb:26 logging.rb:41",
    _PLUGIN: "hook_executor.rb:202 hook_executor.rb:142 hook_executor.rb:130 hook_executor.rb:227"
    " hook_executor.rb:128 command_executor.rb:195 command_executor.rb:193 command_executor.rb:115"
    " command_poller.rb:137 command_poller.rb:119 command_poller.rb:99",
}
# A failed call of the SDK leaves 44 frames in the log, a failed hook 24.
_FRAMES = [f"{folder}/{place}:in `call'" for folder, places in _PLACES.items() for place in places.split()]
TRACE = "".join(f"{frame}\n" for frame in [*_FRAMES, *(f"{_POOL}:{n}:in `loop'" for n in (353, 342, 325, 325, 324))])

# An error that no rule knows, so that the counting of the unexplained ones has work too.
STRANGE = (
    " ERROR [codedeploy-agent(21)]: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller: Error during perform:"
    f" FrobError - frob 4711 of d-AAAAAAAAA refused by 10.0.0.7:8443 - /srv/frob/lib/frob.rb:12:in `frob'\n{TRACE}"
)


def call(text: str, seconds: float = 0.043927) -> str:
    """One call of the SDK that AWS answered with 200."""
    return f" INFO  [codedeploy-agent(21)]: [Aws::CodeDeployCommand::Client 200 {seconds} 0 retries] {text}  \n\n"


def polls() -> list[str]:
    """Answers to idle polls; they differ in their length of a minute and a fraction."""
    return [call(f"poll_host_command({ARN})", round(60 + n / 7919, 6)) for n in range(97)]


def deployment(id_: str, log: str = "") -> list[str]:
    """The entries of a deployment that succeeds. ``log``: what its hooks print."""
    arn = f"CodeDeploy/us-east-1/Prod/arn:aws:sds:us-east-1:123456789012:deployment/{id_}"
    payload = rf"{{\"error_code\":0,\"script_name\":\"\",\"message\":\"Succeeded: \",\"log\":\"{log}\"}}"
    entries = []
    for event in EVENTS:
        command = f'host_command_identifier:"{identifier(id_, event)}"'
        entries += [
            VERSION,
            call(f'get_deployment_specification(deployment_execution_id:"{arn}",{ARN})'),
            VERSION,
            call(
                'put_host_command_acknowledgement(diagnostics:{format:"JSON",'
                rf'payload:"{{\"IsCommandNoop\":false}}"}},{command})'
            ),
            VERSION,
            call(
                f'put_host_command_complete(command_status:"Succeeded",diagnostics:{{format:"JSON",payload:"{payload}"}}'
                f",{command})"
            ),
        ]
    return entries


def identifier(id_: str, event: str) -> str:
    """What a report names its command by: the 2022 form in short (agent.md section 2.1)."""
    return base64.b64encode(f"{id_}/{event}".encode()).decode()


@dataclass(frozen=True)
class Failure:
    """A failing entry, with the places where it names a deployment."""

    text: str
    event: str

    @property
    def once(self) -> bool:
        """Whether it belongs to a deployment, which fails once."""
        return bool(_ID.search(self.text) or _IDENTIFIER.search(self.text) or "Error during perform" in self.text)

    def of(self, id_: str, number: int) -> str:
        """The same failure of another deployment; now and then the agent was restarted in between."""
        text = _ID.sub(id_, _PID.sub(f"({number // 512 % 30000 + 300})]:", self.text, count=1))
        return _IDENTIFIER.sub(f'host_command_identifier:"{identifier(id_, self.event)}"', text)


_STAMP = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?= +[A-Z]+ )", re.MULTILINE)
_ID = re.compile(r"\bd-[A-Z0-9]{9}\b")
_PID = re.compile(r"\(\d+\)\]:")
_IDENTIFIER = re.compile(r'host_command_identifier:"([^"]*)"')


def failures(rules: Sequence[Rule]) -> list[Failure]:
    """The failing entries in the samples of rules, each once, and one that no rule knows for every twenty of them."""
    texts = dict.fromkeys(entry for rule in rules for sample in rule.samples for entry in _entries(sample))
    found = [Failure(text, _event(text)) for text in texts]
    return found + [Failure(STRANGE, EVENTS[0])] * (len(found) // 20 + 1)


def _event(text: str) -> str:
    found = _IDENTIFIER.search(text)
    plain = base64.b64decode(found[1] + "==").decode("utf-8", "replace") if found else ""
    return next((event for event in EVENTS if event in plain), "DownloadBundle")


def _entries(sample: Sample) -> Iterator[str]:
    """A sample of the 1.x agent log, cut at its stamps; what the rule file left out of a trace is put back."""
    if sample.log != "agent" or not sample.match or not sample.agent.startswith("1."):
        return
    for text in _STAMP.split(sample.text)[1:]:
        end = TRACE if re.search(r":\d+:in `[^\n]*\s*$", text) else "\n" if "Client " in text[:100] else ""
        yield text.rstrip("\n") + "\n" + end
