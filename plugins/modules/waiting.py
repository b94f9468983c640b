#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: waiting
short_description: Tell the guard of a master for which standby commits are to wait
version_added: 1.0.0
description:
  - Commits of a master wait for its standby as the guard says. This tells it that a standby is about to stop, so that
    no commit hangs then, or that it is there again; or it asks whether commits wait.
  - Where the server's extension is older than the guard nothing is told.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  standby: {description: Name of the standby., type: str, required: true}
  state:
    description:
      - V(released) lets no commit wait for the standby, and waits until that is so.
      - V(again) lets commits wait for it again, and waits for nothing.
      - V(confirmed) waits until commits wait for it as the mode says.
    type: str
    choices: [released, again, confirmed]
    default: confirmed
  mode:
    description: What the guard has been told.
    type: str
    choices: [asynchronous, synchronous, strict]
    default: synchronous
  unit: {description: "Unit of the guard, which is named where it does not do it.", type: str, required: true}
  timeout: {description: Seconds until it must be so., type: int, default: 30}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Let no commit wait for the standby
  hawq.mirroring.waiting:
    instance: "{{ server_instance }}"
    state: released
    standby: smdw
    unit: hawq-mirroring-guard-hawq-master.service
"""

RETURN = r"""
names:
  description: The standbys that commits wait for then.
  type: list
  elements: str
  returned: always
waited:
  description: Seconds that it took.
  type: float
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import waiting

if __name__ == "__main__":
    waiting.run()
