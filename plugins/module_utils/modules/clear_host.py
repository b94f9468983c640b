# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take away what this collection has put on a host for one cluster."""

from __future__ import annotations

from ..host import clearing, programs
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Take it away."""
    options, instance = module.params, instance_of(module.params["instance"])
    run, act = Runner(), not module.check_mode
    if options["segment"]:
        return clearing.clear_segment(run, act)
    if options["guard"]:
        return clearing.clear_guard(run, act, instance.service, programs.GUARD)
    if options["witness"]:
        return clearing.clear_guard(run, act, instance.service, programs.WITNESS)
    told = only(options, "unit", "serves", "mark")
    return clearing.clear(run, act, service=instance.service, user=instance.user, **told)


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=None,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "unit": {"type": "bool", "default": False},
            "serves": {"type": "bool", "default": False},
            "mark": {"type": "bool", "default": False},
            "segment": {"type": "bool", "default": False},
            "guard": {"type": "bool", "default": False},
            "witness": {"type": "bool", "default": False},
        },
    )
