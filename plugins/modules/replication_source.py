#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: replication_source
short_description: Make the master a source for a standby, or take that back
version_added: 0.1.0
description:
  - Creates or repairs the replication role (its password is the one in the password file, sent as a SCRAM-SHA-256
    verifier), registers the standby and creates its physical replication slot, which keeps WAL from now on.
  - Reloads the server when C(pg_hba.conf) is newer than what the server has loaded.
  - The registration is the setting C(hawq_mirroring.standbys) of the replication role. It lives in a shared catalog, so
    every database and every standby sees it.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state:
    description:
      - V(present) makes what is missing. V(absent) ends a snapshot and takes away what O(created) names. A role that
        was not made here, or that owns or may use other objects, stays.
    type: str
    choices: [present, absent]
    default: present
  role: {description: Replication role., type: str, default: hawq_mirroring}
  passfile: {description: Password file that holds the role's password., type: path, required: true}
  master:
    description:
      - Name of the master in the views. With O(state=absent) it is unregistered as well, as it may have been a standby.
    type: str
  standby: {description: Name of the standby., type: str, required: true}
  others: {description: Further standbys that stay registered., type: list, elements: str, default: []}
  slot: {description: Name of the standby's slot., type: str, required: true}
  created:
    description: What to take away with O(state=absent), for example what an earlier call returned as RV(created).
    type: list
    elements: str
    choices: [role, registration, slot]
    default: []
  kept_wal:
    description: Limit of kept WAL that this run has set, in megabytes. It is noted, so that a removal takes it back.
    type: int
  run:
    description:
      - The identity of this run, as M(hawq.mirroring.options) returns it. With O(state=present) it is noted as the one
        that relies on all this. With O(state=absent) nothing is changed when another run is noted by now, or a standby
        streams through the slot.
    type: str
  spare:
    description: With O(state=absent), change nothing while a snapshot's WAL receiver still answers the master.
    type: bool
    default: false
attributes:
  diff_mode: {description: Shows what is made or taken away.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Make the master a source for smdw
  hawq.mirroring.replication_source:
    instance: "{{ server_instance }}"
    passfile: /home/gpadmin/.pgpass
    standby: smdw
    slot: hawq_mirroring_smdw
"""

RETURN = r"""
goes_on:
  description: Whether a snapshot was found to go on, or somebody relies on this, and nothing was changed.
  type: bool
  returned: with O(state=absent)
used_by:
  description: Who relies on it beside this run. Empty otherwise.
  type: str
  returned: always
slot_lost:
  description: Whether the slot that was taken away had lost WAL that its standby or copy needed.
  type: bool
  returned: with O(state=absent)
slot_made:
  description: Whether the slot was made by this call, so that no copy from before can have all WAL since.
  type: bool
  returned: always
removed:
  description: What this call has taken away, or would.
  type: list
  elements: str
  returned: with O(state=absent)
role_stays:
  description: Why the role was not dropped although O(created) names it. Empty otherwise.
  type: str
  returned: with O(state=absent)
created:
  description: What this call has made and was not there before.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import replication_source

if __name__ == "__main__":
    replication_source.run()
