#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: rewind_source
short_description: Let another host read the master's files and make a backup of them, or end that
version_added: 0.2.0
description:
  - With O(state=present) it makes the checkpoint that a rewind needs after an activation, and a role that may read the
    files of the data directory, as the manual of C(pg_rewind) names it, and start and stop a backup. Its password is
    that of the replication role; C(pg_hba.conf) lets it in from the other masters' hosts alone.
  - With O(state=absent) that role is dropped, unless another run has asked for it since O(run) did.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state: {description: What is to be., type: str, choices: [present, absent], default: present}
  role: {description: The role., type: str, required: true}
  passfile: {description: Password file that holds the replication role's password., type: path, required: true}
  password_of: {description: Replication role whose password it gets., type: str, default: hawq_mirroring}
  run:
    description:
      - The identity of this run, as M(hawq.mirroring.options) returns it. Without it the role is dropped whoever has
        asked for it.
    type: str
  hba_lines:
    description: Lines of C(pg_hba.conf) that let it in. They stand there while it exists.
    type: list
    elements: str
    default: []
attributes:
  diff_mode: {description: Shows whether the role is there.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Let a rewind read the master's files
  hawq.mirroring.rewind_source:
    instance: "{{ server_instance }}"
    role: hawq_mirroring_rewind
    passfile: /home/gpadmin/.pgpass
"""

RETURN = r"""
checkpointed:
  description: Whether a checkpoint was made, since the last one was on an older timeline.
  type: bool
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import rewind_source

if __name__ == "__main__":
    rewind_source.run()
