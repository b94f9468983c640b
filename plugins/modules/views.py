#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: views
short_description: Install the views of master mirroring
version_added: 0.1.0
description:
  - Puts the files of an SQL extension where the engine looks for them and creates or updates the extension in
    databases of the running master. On a standby host only the files are put; its databases come from the
    master.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  extension: {description: Name of the extension., type: str, default: hawq_mirroring}
  files: {description: File names and their texts., type: dict, required: true}
  state:
    description: V(absent) drops the extension in O(databases), and takes its O(files) away.
    type: str
    choices: [present, absent]
    default: present
  databases:
    description: Databases that get the extension. None on a standby.
    type: list
    elements: str
    default: []
  everywhere:
    description: For V(absent), whether it is dropped in all databases, not only in O(databases).
    type: bool
    default: false
attributes:
  diff_mode: {description: Names the files and databases that change.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Install the views
  hawq.mirroring.views:
    instance: "{{ server_instance }}"
    databases: [postgres, template1]
    files:
      hawq_mirroring.control: "{{ lookup('ansible.builtin.file', 'hawq_mirroring.control') }}"
"""

RETURN = r"""
directory:
  description: Where the extension's files are. Null when the engine is not installed yet (check mode).
  type: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import views

if __name__ == "__main__":
    views.run()
