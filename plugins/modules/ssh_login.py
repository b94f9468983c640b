#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_login
short_description: Try whether the other master hosts answer this one's user by SSH
version_added: 0.2.0
description:
  - Asks each of the other master hosts what the boot interlock asks it, as the user that the interlock asks as. Fails
    with what C(ssh) has said when one of them does not answer.
  - Changes nothing. In check mode nothing is tried, since the keys may not have been exchanged yet.
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  user:
    description: The user. It must exist.
    type: str
    required: true
  peers:
    description: The other master hosts.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: Inventory name., type: str, required: true}
      address: {description: Where it is reached., type: str, required: true}
      port: {description: Port of its server; of no use here., type: int}
      ssh_port: {description: Port of its sshd., type: int, default: 22}
      unit: {description: Unit of its server., type: str, required: true}
attributes:
  diff_mode: {support: none, description: There is nothing to show.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Try the login that the boot interlock relies on
  hawq.mirroring.ssh_login:
    user: gpadmin
    peers:
      - name: smdw
        address: 10.0.0.12
        unit: hawq-master.service
"""

RETURN = r"""
tried:
  description: Names of the hosts that have answered.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import ssh_login

if __name__ == "__main__":
    ssh_login.run()
