"""What a 1.x agent writes, entry by entry: healthy polls, a whole deployment, and failures from the rules' samples.

Every entry is here without its stamp. The texts are those of agent 1.8.1; its log has the form
``STAMP LEVEL [program(pid)]: text``, with an empty line after each call of the SDK.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Iterable, Iterator, Sequence

from agentdoctor.model import Rule

ARN = 'host_identifier:"arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0"'
VERSION = " INFO  [codedeploy-agent(21)]: Version file found in /opt/codedeploy-agent/.version with agent version OFFICIAL_1.8.1-99_deb.\n"
EVENTS = "ApplicationStop DownloadBundle BeforeInstall Install AfterInstall ApplicationStart ValidateService".split()

_GEMS = "/opt/codedeploy-agent/vendor/gems"
_SDK = f"{_GEMS}/aws-sdk-core-3.168.1/lib"
_PLUGIN = "/opt/codedeploy-agent/lib/instance_agent/plugins/codedeploy"
_POOL = f"{_GEMS}/concurrent-ruby-1.1.6/lib/concurrent-ruby/concurrent/executor/ruby_thread_pool_executor.rb"
# Below a call of the SDK, and below a hook: 30 frames together, as many as a failed poll has on the average.
TRACE = "".join(
    f"{frame}\n"
    for frame in [
        *(
            f"{_SDK}/aws-sdk-core/plugins/{name}:in `call'"
            for name in (
                "jsonvalue_converter.rb:16 idempotency_token.rb:19 param_converter.rb:26 response_paging.rb:12"
                " transfer_encoding.rb:26 helpful_socket_errors.rb:12 retry_errors.rb:360 http_checksum.rb:19"
                " endpoint_pattern.rb:30 user_agent.rb:13 endpoint_discovery.rb:84 param_validator.rb:26 logging.rb:41"
            ).split()
        ),
        f"{_SDK}/seahorse/client/plugins/request_callback.rb:71:in `call'",
        f"{_SDK}/seahorse/client/plugins/response_target.rb:24:in `call'",
        f"{_SDK}/seahorse/client/request.rb:72:in `send_request'",
        f"{_PLUGIN}/hook_executor.rb:142:in `block (2 levels) in execute'",
        f"{_PLUGIN}/hook_executor.rb:130:in `each'",
        f"{_PLUGIN}/hook_executor.rb:227:in `create_script_log_file_if_needed'",
        f"{_PLUGIN}/command_executor.rb:195:in `block (3 levels) in map'",
        f"{_PLUGIN}/command_executor.rb:115:in `execute_command'",
        f"{_PLUGIN}/command_poller.rb:137:in `process_command'",
        f"{_PLUGIN}/command_poller.rb:119:in `acknowledge_and_process_command'",
        f"{_PLUGIN}/command_poller.rb:99:in `block in perform'",
        f"{_POOL}:353:in `run_task'",
        f"{_POOL}:342:in `block (3 levels) in create_worker'",
        f"{_POOL}:325:in `loop'",
        f"{_POOL}:324:in `catch'",
        f"{_POOL}:324:in `block in create_worker'",
        "/usr/lib/ruby/vendor_ruby/logging/diagnostic_context.rb:474:in `block in create_with_logging_context'",
    ]
)

# Errors that no rule knows, so that what counts the unexplained ones has work too.
STRANGE = (
    " ERROR [codedeploy-agent(21)]: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller: Error during perform:"
    " FrobError - frob 4711 of d-AAAAAAAAA refused by 10.0.0.7:8443 - /srv/frob/lib/frob.rb:12:in `frob'\n" + TRACE
)


def call(text: str, seconds: float = 0.043927) -> str:
    """One call of the SDK that AWS answered with 200, and the note that precedes it."""
    return f" INFO  [codedeploy-agent(21)]: [Aws::CodeDeployCommand::Client 200 {seconds} 0 retries] {text}  \n\n"


def poll(chance: random.Random) -> str:
    """The answer to one idle poll of about a minute."""
    return call(f"poll_host_command({ARN})", round(60 + chance.random(), 6))


def complete(deployment: str, event: str, log: str = "") -> str:
    """The report of a lifecycle event that ended well."""
    diagnostics = rf"{{\"error_code\":0,\"script_name\":\"\",\"message\":\"Succeeded: \",\"log\":\"{log}\"}}"
    return call(
        f'put_host_command_complete(command_status:"Succeeded",diagnostics:{{format:"JSON",payload:"{diagnostics}"}},'
        f'host_command_identifier:"{identifier(deployment, event)}")'
    )


def identifier(deployment: str, event: str) -> str:
    return base64.b64encode(f"{deployment}/{event}".encode()).decode()


def deployment_of(deployment: str) -> list[str]:
    """All entries of a deployment that succeeds."""
    arn = f"CodeDeploy/us-east-1/Prod/arn:aws:sds:us-east-1:123456789012:deployment/{deployment}"
    entries = []
    for event in EVENTS:
        noop = r"payload:\"{\\\"IsCommandNoop\\\":false}\"".replace("\\\\\\", "\\").replace('\\"{', '"{')
        entries += [VERSION, call(f'get_deployment_specification(deployment_execution_id:"{arn}",{ARN})')]
        entries += [
            VERSION,
            call(
                f'put_host_command_acknowledgement(diagnostics:{{format:"JSON",{noop}}},'
                f'host_command_identifier:"{identifier(deployment, event)}")'
            ),
        ]
        entries += [VERSION, complete(deployment, event)]
    return entries
