# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a stopped server's directory a verified copy of the master's, transferring only what differs."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql.delta import job
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Say why it did not work instead of failing. What is only to be watched is the action plugin's work."""
    options, instance = module.params, instance_of(module.params["instance"])
    act = not module.check_mode and not options["watch"]
    names = ("primary", "role", "slot", "tablespace_mapping", "checkpoint", "rate_limit", "timeout")
    result = choice.of(instance.engine, postgresql=job.delta)(instance, Runner(), act, **only(options, *names))
    return {**result, "changed": False, "copied": False} if options["watch"] else result


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        named=lambda options: options["tablespace_mapping"].values(),
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "primary": {"type": "dict", "required": True},
            "role": {"type": "str", "required": True},
            "slot": {"type": "str", "required": True},
            "tablespace_mapping": {"type": "dict", "default": {}},
            "checkpoint": {"type": "str", "choices": ["fast", "spread"], "default": "fast"},
            "rate_limit": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 86400},
            "watch": {"type": "bool", "default": False},
        },
    )
