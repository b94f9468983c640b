#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_ip
short_description: Move the address that follows the master
version_added: 0.1.0
description:
  - Brings the address to this host, through the unit that the role C(virtual_ip) installs. That unit only adds it when
    the server here accepts writes, announces it by gratuitous ARP, and keeps it here. M(hawq.mirroring.fence) takes
    it off the old host.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state: {description: Whether this host is to have it., type: str, choices: [present, absent], default: present}
  address: {description: "The address with its prefix, C(192.0.2.10/24).", type: str, required: true}
  interface: {description: Network interface of the address., type: str, required: true}
  timeout: {description: Seconds that the move may take., type: int, default: 30}
attributes:
  diff_mode: {description: Shows whether the address is here.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Let the address follow the master
  hawq.mirroring.virtual_ip:
    instance: "{{ server_instance }}"
    address: 192.0.2.10/24
    interface: eth0
"""

RETURN = r"""
seconds: {description: Seconds until the address was where it should be., type: float, returned: always}
"""

import time

from ansible_collections.hawq.mirroring.plugins.module_utils.host import virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import INSTANCE_OPTION, instance_of, run_module
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


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


if __name__ == "__main__":
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
