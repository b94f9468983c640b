#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: salvage
short_description: Bring the WAL that a standby lacks over from its dead master
version_added: 0.1.0
description:
  - The C(pg_wal) of a master whose server is dead is readable as long as its host lives. What was committed there and
    never reached the standby is brought over before the standby is activated, so that nothing is lost.
  - O(state=offered) runs on the old master's host and says what there is; O(state=fetched) runs on the standby's host
    and gets it by SSH between the two; O(state=installed) checks it and lets the standby replay it.
  - Where the two hosts do not reach each other, the WAL goes through the controller in pieces. O(state=given) reads one
    on the old master's host, and O(state=taken) writes it on the standby's host.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state:
    description: What to do.
    type: str
    required: true
    choices: [offered, fetched, given, taken, installed]
  after:
    description: For O(state=offered), LSN of the standby's last replayed record.
    type: str
  have:
    description: LSN up to which the standby holds WAL.
    type: str
  known: {description: LSN that the old master is known to have written., type: str}
  known_from: {description: Which segment alone says so. Empty otherwise., type: str, default: ""}
  accept_loss:
    description:
      - With O(state=offered), whether to offer what comes before a damage, where not all can be read.
      - With O(state=installed), whether to go on without what is no continuation of what the standby has.
    type: bool
    default: false
  timeline: {description: Timeline that the standby replays., type: int}
  offer:
    description: What O(state=offered) returned on the old master's host.
    type: dict
  address:
    description: For O(state=fetched), where the old master's host answers SSH.
    type: str
  port: {description: Its SSH port., type: int, default: 22}
  unit: {description: "For O(state=fetched), the unit of the server there.", type: str}
  name: {description: "For O(state=given) and O(state=taken), the WAL file.", type: str}
  offset: {description: Where in that file the piece begins., type: int, default: 0}
  content: {description: "For O(state=taken), the piece that O(state=given) has returned.", type: str}
  timeout:
    description: Seconds that reading, fetching or replaying may take.
    type: int
    default: 600
attributes:
  diff_mode: {description: Names the segments.}
  idempotent: {description: What is fetched or replayed already is not fetched or replayed again.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Look for WAL that the standby lacks
  hawq.mirroring.salvage:
    instance: "{{ server_instance }}"
    state: offered
    after: 0/3017F88
    have: 0/3017F88
    timeline: 1
"""

RETURN = r"""
offer:
  description:
    - C(damage), null or why not all can be read.
    - C(missing_bytes) that the standby lacks, C(end_lsn) where the WAL of the old master ends, C(last_record_lsn) where
      its last whole record begins, C(directory), and C(files), each with C(name), C(size) (bytes) and C(sha256).
  type: dict
  returned: with O(state=offered)
staging:
  description: Where fetched segments are put on the standby's host.
  type: str
  returned: always
content:
  description: At most 8 MiB of the WAL file, compressed and in Base64.
  type: str
  returned: with O(state=given)
replay_lsn:
  description: How far the standby has replayed. None where nothing was put there, since the loss is accepted.
  type: str
  returned: with O(state=installed)
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import salvage

if __name__ == "__main__":
    salvage.run()
