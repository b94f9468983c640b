# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Move the address that follows the master."""

from __future__ import annotations

import time

from ..host import virtual_ip
from ..host.module import INSTANCE_OPTION, instance_of, run_module
from ..host.run import Runner


def main(module):
    """Compare, move, confirm."""
    run, begin, service = Runner(), time.monotonic(), instance_of(module.params["instance"]).service
    address, interface = module.params["address"], module.params["interface"]
    wanted, before = module.params["state"] == "present", virtual_ip.here(run, address)
    if wanted:
        before = before and virtual_ip.held(run, service)
    if before != wanted and not module.check_mode:
        move = virtual_ip.take if wanted else virtual_ip.release
        move(run, service, address, interface, module.params["timeout"])
    shown = [f"{address}\n" if here else "" for here in (before, wanted)]
    return {
        "changed": before != wanted,
        "seconds": round(time.monotonic() - begin, 2),
        "diff": {"before": shown[0], "after": shown[1]},
    }


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=None,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "address": {"type": "str", "required": True},
            "interface": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 30},
        },
    )
