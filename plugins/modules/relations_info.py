#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: relations_info
short_description: Names of relations that WAL knows by their files
version_added: 0.2.0
description:
  - Returns database, schema and name for file numbers as M(hawq.mirroring.divergence_info) returns them. System
    catalogs are left out. A relation that the master does not know (any more) keeps its numbers.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes.info
options:
  relations:
    description: Numbers of tablespace, database and file, with slashes between.
    type: list
    elements: str
    required: true
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Name the tables
  hawq.mirroring.relations_info:
    instance: "{{ server_instance }}"
    relations: [1663/5/16384]
"""

RETURN = r"""
names:
  description: The names, in order.
  type: list
  elements: str
  returned: success
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import relations_info

if __name__ == "__main__":
    relations_info.run()
