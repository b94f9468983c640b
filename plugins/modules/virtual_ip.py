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

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import virtual_ip

if __name__ == "__main__":
    virtual_ip.run()
