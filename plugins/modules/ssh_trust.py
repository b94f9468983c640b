#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_trust
short_description: Let the user of other master hosts ask this one by SSH, and know their host keys
version_added: 0.2.0
description:
  - Writes C(authorized_keys) and C(known_hosts) of a user, as that user. A key of another master host is good for what
    that host must be able to ask (the state of the database's files, and a WAL file), and for no login.
  - What other people have written into the two files stays.
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  user:
    description: The user. It must exist.
    type: str
    required: true
  state:
    description:
      - V(absent) takes away the keys of the hosts of O(names) that are good for questions only, and their host keys;
        without O(names) those of all. Where the host has another cluster than that of O(service), nothing is taken
        away.
    type: str
    choices: [present, absent]
    default: present
  names: {description: Hosts to forget., type: list, elements: str, default: []}
  service: {description: Unit of the cluster's server., type: str, default: hawq-master.service}
  keys:
    description: Public keys of the user on the other master hosts, as M(hawq.mirroring.ssh_identity) returns them.
    type: list
    elements: str
    default: []
  restrict:
    description: Whether these keys are good for the questions of another master host only, and not for a login.
    type: bool
    default: true
  hosts:
    description: The other master hosts.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Inventory name., type: str, required: true}
      addresses:
        description: Names and addresses at which it answers SSH, as C(known_hosts) has them.
        type: list
        elements: str
        required: true
      keys: {description: Its public host keys., type: list, elements: str, required: true}
attributes:
  diff_mode: {description: Shows the two files.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Let smdw ask
  hawq.mirroring.ssh_trust:
    user: gpadmin
    keys: ["ssh-ed25519 AAAAC3Nz... gpadmin@smdw"]
    hosts:
      - name: smdw
        addresses: [smdw, 10.0.0.12]
        keys: ["ssh-ed25519 AAAAC3Nz..."]
"""

RETURN = r"""
done:
  description: Files that were written.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import ssh_trust

if __name__ == "__main__":
    ssh_trust.run()
