# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make slots of others anew, or drop slots that nobody uses."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import other_slots
from ..host.module import INSTANCE_OPTION, instance_of, run_module


def main(module):
    """Make them, or drop them."""
    instance, act, slots = instance_of(module.params["instance"]), not module.check_mode, module.params["slots"]
    if module.params["state"] == "absent":
        drop = choice.of(instance.engine, postgresql=other_slots.drop)
        return drop(instance, act, [slot["name"] for slot in slots])
    make = choice.of(instance.engine, postgresql=other_slots.make)
    none = {"physical": True, "plugin": None, "database": None, "two_phase": False, "failover": False}
    return make(instance, act, [{**none, **slot} for slot in slots])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "slots": {"type": "list", "elements": "dict", "required": True},
        },
    )
