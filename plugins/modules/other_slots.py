#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: other_slots
short_description: Make slots of others anew, or drop slots that nobody uses
version_added: 0.1.0
description:
  - Makes slots that consumers of a former master had, on the new one. A logical one gives the changes from then on, so
    that its consumer may miss some. One that is there stays. One that cannot be made is told, and nothing fails.
  - With O(state=absent) it drops slots that nobody uses.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state: {description: Whether they are to be there., type: str, choices: [present, absent], default: present}
  slots:
    description:
      - Each with C(name), C(physical), C(plugin), C(database) (its name or number), C(two_phase) and C(failover); of
        those to be dropped the name is enough.
    type: list
    elements: dict
    required: true
attributes:
  diff_mode: {description: Shows the names.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Make the slot of a consumer anew
  hawq.mirroring.other_slots:
    instance: "{{ server_instance }}"
    slots:
      - {name: debezium, physical: false, plugin: pgoutput, database: shop, two_phase: false, failover: false}
"""

RETURN = r"""
made: {description: Names of those that were made., type: list, elements: str, returned: always}
dropped: {description: Names of those that were dropped., type: list, elements: str, returned: always}
trouble: {description: Why one could not be made by its name., type: dict, returned: always}
begin: {description: LSN from which on a logical one gives changes by its name., type: dict, returned: always}
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import other_slots

if __name__ == "__main__":
    other_slots.run()
