#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_identity
short_description: A user's SSH key pair, and the keys that others must know
version_added: 0.1.0
description:
  - Makes an ed25519 key pair for the user when there is none, as that user, and returns its public half together with
    what other hosts must know of this one. A key that is there is never replaced.
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  user:
    description: The user. It must exist.
    type: str
    required: true
  comment:
    description: Comment of a key that is made. The user and the host's name when not given.
    type: str
  name: {description: "What other hosts call this one. Its own name when not given.", type: str}
  addresses:
    description: Further names and addresses at which it answers SSH.
    type: list
    elements: str
    default: []
  port: {description: Port at which it answers SSH., type: int, default: 22}
attributes:
  check_mode: {description: Makes no key and says whether it would.}
  diff_mode: {description: Has nothing to show., support: none}
  idempotent: {description: Makes a key only once.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Make a key pair for gpadmin
  hawq.mirroring.ssh_identity:
    user: gpadmin
  register: identity
"""

RETURN = r"""
public_key:
  description: The user's public key; null in check mode when there is none yet.
  type: str
  returned: always
  sample: ssh-ed25519 AAAAC3Nz... gpadmin@mdw
host:
  description: C(name), C(addresses) and C(keys) of this host, as M(hawq.mirroring.ssh_trust) wants them.
  type: dict
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import ssh_identity

if __name__ == "__main__":
    ssh_identity.run()
