# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a standby the master."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import promotion
from ..host import freshness, virtual_ip
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Promote, or only make a checkpoint."""
    options, act = module.params, not module.check_mode
    instance = instance_of(options["instance"])
    if options["state"] == "checkpointed":
        return choice.of(instance.engine, postgresql=promotion.checkpoint)(instance, Runner(), act)
    if options["state"] == "confirming":
        confirm = choice.of(instance.engine, postgresql=promotion.commits)
        return confirm(instance, Runner(), act, timeout=options["timeout"])
    if act:
        freshness.refuse_answering(options["looked"], options["silent"])
    return choice.of(instance.engine, postgresql=promotion.activate)(
        instance,
        Runner(),
        act,
        **only(options, "role", "name", "slots", "standbys", "wal_keep_megabytes", "other_slots", "timeout"),
        **only(options, "held", "inherited"),
        address=options["virtual_ip"],
        address_timeout=options["virtual_ip_timeout"],
        warn=module.warn,
    )


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["active", "checkpointed", "confirming"], "default": "active"},
            "role": {"type": "str", "default": "hawq_mirroring"},
            "name": {"type": "str"},
            "slots": {"type": "list", "elements": "str", "default": []},
            "silent": {"type": "list", "elements": "dict", "default": []},
            "looked": {"type": "float"},
            "standbys": {"type": "list", "elements": "str", "default": []},
            "wal_keep_megabytes": {"type": "int", "default": 10240},
            "other_slots": {"type": "bool", "default": False},
            "virtual_ip": virtual_ip.OPTION,
            "virtual_ip_timeout": {"type": "int", "default": 30},
            "held": {"type": "bool", "default": False},
            "inherited": {
                "type": "dict",
                "options": {
                    "timeline": {"type": "int", "required": True},
                    "number": {"type": "int", "required": True},
                    "witnesses": {"type": "list", "elements": "list", "default": []},
                    "skipped": {"type": "list", "elements": "int", "default": []},
                },
            },
            "timeout": {"type": "int", "default": 60},
        },
    )
