# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make sure that a former master or standby cannot accept writes."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import fencing
from ..host import fence_record, virtual_ip
from ..host.lock import alone
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Act alone on this host."""
    options, act = module.params, not module.check_mode
    instance, run = instance_of(options["instance"]), Runner()
    with alone(act):
        if options["state"] == "stopped":
            stop = choice.of(instance.engine, postgresql=fencing.stop)
            return stop(instance, run, act, **only(options, "still", "timeout"))
        if options["state"] == "undone":
            undo = choice.of(instance.engine, postgresql=fencing.undo)
            return undo(instance, run, act, by=options["run"], unasked=options["unasked"])
        if options["state"] == "lifted":
            lift = choice.of(instance.engine, postgresql=fencing.lift)
            return lift(instance, act, **only(options, "slots", "timeout"))
        return choice.of(instance.engine, postgresql=fencing.fence)(
            instance,
            run,
            act,
            **only(options, "reason", "was", "still", "offer", "accept_loss", "drain", "timeout"),
            by=options["run"],
            address=options["virtual_ip"],
            warn=module.warn,
        )


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["fenced", "stopped", "undone", "lifted"], "default": "fenced"},
            "reason": {"type": "str"},
            "run": {"type": "str"},
            "still": {"type": "str", "choices": [fence_record.MASTER, fence_record.STANDBY]},
            "unasked": {"type": "bool", "default": False},
            "virtual_ip": virtual_ip.OPTION,
            "offer": {
                "type": "dict",
                "options": {
                    "after": {"type": "str", "required": True},
                    "have": {"type": "str", "required": True},
                    "timeline": {"type": "int", "required": True},
                    "known": {"type": "str"},
                    "known_from": {"type": "str", "default": ""},
                },
            },
            "accept_loss": {"type": "bool", "default": False},
            "slots": {"type": "list", "elements": "str", "default": []},
            "drain": {"type": "int", "default": 0},
            "timeout": {"type": "int", "default": 20},
            "was": {
                "type": "str",
                "choices": [fence_record.MASTER, fence_record.STANDBY],
                "default": fence_record.MASTER,
            },
        },
        required_if=[("state", "fenced", ["reason"]), ("state", "undone", ["run"])],
    )
