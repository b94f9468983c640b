#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: lost_work
short_description: Keep aside what only a former master has, before it is overwritten
version_added: 0.2.0
description:
  - Copies the control file and the WAL beyond the fork to a directory beside the data directory, with what
    M(hawq.mirroring.divergence_info) found in it as C(lost.json). Nothing removes it but the operator.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.history
  - hawq.mirroring.attributes
options:
  divergence: {description: What M(hawq.mirroring.divergence_info) returned., type: dict, required: true}
attributes:
  diff_mode: {description: Names the directory.}
  idempotent: {description: What is kept already is not kept again.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Keep aside what only the former master has
  hawq.mirroring.lost_work:
    instance: "{{ server_instance }}"
    divergence: "{{ divergence }}"
    history: [{timeline: 1}]
"""

RETURN = r"""
directory:
  description: Where it is kept.
  type: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import lost_work

if __name__ == "__main__":
    lost_work.run()
