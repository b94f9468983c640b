#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: segment_role
short_description: Make the role that segments register as
version_added: 0.2.0
description:
  - Creates or repairs the role that segments log in as. Its password is the one in the password file, sent as a
    SCRAM-SHA-256 verifier.
  - The role may log in and execute the function C(hawq_mirroring_register) in the database C(postgres). It may not
    replicate, and it may read no table. The right of every other role to register is taken away.
  - Fails when there is a role of that name which was not made here.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state:
    description: V(absent) drops the role, if it was made here.
    type: str
    choices: [present, absent]
    default: present
  role: {description: The role., type: str, default: hawq_mirroring_segment}
  passfile: {description: Password file that holds the role's password., type: path, required: true}
attributes:
  diff_mode: {description: Names what is made or repaired.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Make the role that segments register as
  hawq.mirroring.segment_role:
    instance: "{{ server_instance }}"
    passfile: /home/gpadmin/.pgpass
"""

RETURN = r"""
done:
  description: What was made, repaired or taken away, or would be.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import segment_role

if __name__ == "__main__":
    segment_role.run()
