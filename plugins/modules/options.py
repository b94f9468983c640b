#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: options
short_description: Check the variables of a playbook before anything else
version_added: 0.1.0
description:
  - Refuses misspelt variables of this collection, values that do not fit the roles' argument specifications,
    and a playbook that is run in parts (C(--tags), C(--limit)). Runs on the controller.
  - Begins the report, where one is wanted, so that one that cannot be written is known before anything is done.
extends_documentation_fragment:
  - hawq.mirroring.attributes.info
options:
  workflow: {description: The playbook's name., type: str, required: true}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Check the variables
  hawq.mirroring.options:
    workflow: state
  register: checked
"""

RETURN = r"""
mark:
  description: When this was done, in seconds since the epoch, on the controller.
  type: float
  returned: success
run:
  description:
    - What tells this run of C(ansible-playbook) from every other one, on all hosts and in all plays. Fence records and
      permissions carry it, and a run undoes only its own.
  type: str
  returned: success
  sample: switchover-20261127T074408Z-3f9a
options:
  description: The options of the playbooks with their defaults.
  type: dict
  returned: success
peers:
  description: Name, address and port of the other masters' servers.
  type: list
  elements: dict
  returned: success
witnesses:
  description: The same with the port of SSH.
  type: list
  elements: dict
  returned: success
"""
