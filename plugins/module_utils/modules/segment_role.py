# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the role that segments register as."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import segment_role
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)


def main(module):
    """Make it, or drop it."""
    instance = instance_of(module.params["instance"])
    if module.params["state"] == "absent":
        drop = choice.of(instance.engine, postgresql=segment_role.absent)
        return drop(instance, not module.check_mode, role=module.params["role"])
    make = choice.of(instance.engine, postgresql=segment_role.present)
    return make(instance, not module.check_mode, **only(module.params, "role", "passfile"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "role": {"type": "str", "default": "hawq_mirroring_segment"},
            "passfile": {"type": "path", "required": True, "no_log": False},
        },
    )
