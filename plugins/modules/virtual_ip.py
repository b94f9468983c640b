#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_ip
short_description: Move the address that follows the master
version_added: 0.1.0
description:
  - Brings the address to this host, or takes it away, through the unit that the role C(virtual_ip) installs. That unit
    only adds it when the server here accepts writes, and announces it by gratuitous ARP.
options:
  unit: {description: The unit that holds the address., type: str, required: true}
  address: {description: "The address with its prefix, C(192.0.2.10/24).", type: str, required: true}
  interface: {description: Network interface of the address., type: str, required: true}
  state:
    description: Whether the address is to be on this host.
    type: str
    choices: [present, absent]
    default: present
  timeout: {description: Seconds that the move may take., type: int, default: 30}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows whether the address is here., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Let the address follow the master
  hawq.mirroring.virtual_ip:
    unit: hawq-mirroring-virtual-ip.service
    address: 192.0.2.10/24
    interface: eth0
"""

RETURN = r"""
seconds: {description: Seconds until the address was where it should be., type: float, returned: always}
"""

import ipaddress
import time

from ansible_collections.hawq.mirroring.plugins.module_utils import _common, _observe


def here(run, address):
    """Whether the address is on one of this host's interfaces."""
    return str(ipaddress.ip_interface(address).ip) in _observe.machine(run)["addresses"]


def move(module, run, wanted):
    """Start or stop the unit, bounded; what counts is the address."""
    address, unit, timeout = module.params["address"], module.params["unit"], module.params["timeout"]
    command = ["systemctl", "restart" if wanted else "stop", unit]
    _code, _output, errors = run(command, timeout=timeout)
    if not wanted and here(run, address):
        run(["ip", "address", "delete", address, "dev", module.params["interface"]], timeout=10)
    deadline = time.monotonic() + timeout
    while here(run, address) != wanted:
        if time.monotonic() > deadline:
            what = f"is not on {module.params['interface']}" if wanted else "is still here"
            raise _common.MirroringError(
                f"{address} {what} after {timeout} s ({' '.join(errors.split()) or 'no error'}): look at journalctl -u"
                f" {unit}, then run this again"
            )
        time.sleep(0.1)


def main(module):
    """Compare, move, confirm."""
    run, begin = _common.Runner(module), time.monotonic()
    try:
        before = here(run, module.params["address"])
    except ValueError as error:
        raise _common.MirroringError(f"virtual_ip_address: {error}") from error
    wanted = module.params["state"] == "present"
    if before != wanted and not module.check_mode:
        move(module, run, wanted)
    words = {True: f"{module.params['address']}\n", False: ""}
    return {
        "changed": before != wanted,
        "seconds": round(time.monotonic() - begin, 2),
        "diff": {"before": words[before], "after": words[wanted]},
    }


if __name__ == "__main__":
    _common.run(
        main,
        supports_check_mode=True,
        argument_spec={
            "unit": {"type": "str", "required": True},
            "address": {"type": "str", "required": True},
            "interface": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "timeout": {"type": "int", "default": 30},
        },
    )
