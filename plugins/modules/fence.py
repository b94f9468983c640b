#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: fence
short_description: Make sure that a former master or standby cannot accept writes
version_added: 0.1.0
description:
  - Stops the server of this host (fast, then immediate, then with SIGKILL, each bounded; a frozen one is killed) and
    leaves C(standby.signal) in its data directory, so that it cannot come back as a master. Data and WAL stay.
  - Takes the address that follows the master off this host.
  - Records since when, why and by which run, and what the control file said, in C(hawq_mirroring.fence) in the data
    directory. Where an earlier run has recorded that, the record becomes this run's.
  - With O(state=stopped) it only stops the server, whatever it is.
  - With O(state=undone) a server that this very run has fenced is started as a master again, since nobody has taken
    over. It fails, and changes nothing, when another run has fenced it too, or has made it a standby. Its boot
    interlock asks the other hosts first, and waits for one that does not answer unless O(unasked).
  - With O(state=lifted) a former master that streams from the new one by now loses that record, and the slots of its
    time as a master, which would keep WAL for ever.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state: {description: What is to be., type: str, choices: [fenced, stopped, undone, lifted], default: fenced}
  reason: {description: Why the server must not accept writes any more., type: str}
  run:
    description:
      - The identity of this run, as M(hawq.mirroring.options) returns it. Without it a record of an earlier run stays
        as it is.
    type: str
  still:
    description:
      - What the server was when this run looked. When it runs as the other one by now, another run has changed it
        meanwhile, and it is left as it is.
    type: str
    choices: [master, standby]
  unasked:
    description:
      - Whether the boot interlock lets it start although a host that might be the master does not answer, this once and
        within two minutes. A host that answers is asked all the same.
    type: bool
    default: false
  virtual_ip:
    description: The address that follows the master.
    type: dict
    default: {}
    suboptions:
      address: {description: The address with its prefix. None when empty., type: str, default: ""}
      interface: {description: Network interface., type: str, default: ""}
  offer:
    description: How far the standby is. What WAL it lacks is returned as M(hawq.mirroring.salvage) returns it.
    type: dict
    suboptions:
      after: {description: LSN of its last replayed record., type: str, required: true}
      have: {description: LSN up to which it holds WAL., type: str, required: true}
      timeline: {description: Timeline that it replays., type: int, required: true}
      known: {description: LSN that this server is known to have written., type: str}
      known_from: {description: Which segment alone says so. Empty otherwise., type: str, default: ""}
  accept_loss:
    description: Whether WAL that cannot be read is no failure.
    type: bool
    default: false
  slots:
    description: Slots of others that are dropped with O(state=lifted), as they are of the server's time as a master.
    type: list
    elements: str
    default: []
  drain:
    description: Seconds that open sessions get to end by themselves. New ones are not let in meanwhile.
    type: int
    default: 0
  timeout: {description: Seconds that a fast shutdown may take., type: int, default: 20}
  was:
    description:
      - What the server was, which is recorded, too. A removed standby is not taken for a master that was left behind.
    type: str
    choices: [master, standby]
    default: master
attributes:
  diff_mode: {description: Shows whether the server runs and is fenced.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Fence the former master
  hawq.mirroring.fence:
    instance: "{{ server_instance }}"
    reason: smdw takes over
"""

RETURN = r"""
stopped:
  description: How the server ended. One of V(fast), V(immediate), V(killed); empty when it was not running.
  type: str
  returned: always
cut_off:
  description: Whether sessions were still open when the time of O(drain) was over.
  type: bool
  returned: with O(state=fenced)
record:
  description:
    - What is recorded, C(at), C(reason), C(run), C(was) and C(control) (the control file's fields), now or by an
      earlier run.
  type: dict
  returned: always
offer:
  description: What the standby lacks, as M(hawq.mirroring.salvage) returns it.
  type: dict
  returned: with O(offer), when it could be found
msg:
  description: Why it could not.
  type: str
  returned: with O(offer) and O(accept_loss), when it could not be found
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import fence

if __name__ == "__main__":
    fence.run()
