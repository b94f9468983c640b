#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: promise
short_description: Let a witness promise the master's place to a standby
version_added: 1.0.0
description:
  - A failover asks each witness for a promise before it activates a standby. A witness that has promised a timeline
    grants nothing to a master of an older one any more, so that a master that is only cut off cannot confirm a commit.
  - The promise is on the disk of the witness before the module answers, together with the name of its file. A
    witness that is killed or loses power at any moment has the whole promise or none.
  - The answer has the record of the witness as it was before. What the records of a majority say tells whether the old
    master may have gone on alone.
  - A witness that cannot promise is an answer and no failure. RV(kept) is V(false) then, and RV(words) says why. One
    without a record does not promise, since it may have lost what it had granted.
  - A promise of a higher timeline takes the place of a lower one, whoever has it. Of two candidates for one timeline
    the first one has it.
  - The file is locked meanwhile (C(flock) on its name with C(.lock)), as the program of the witness does.
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  user:
    description: Whose file the record is, which is the user of the witness's program.
    type: str
    required: true
  path: {description: The file with the record of this cluster on this host., type: path, required: true}
  state:
    description:
      - With V(withdrawn) the promise is taken back when it is exactly this one and no other run relies on it. Any other
        promise stays. A run that withdraws must not activate the standby any more.
    type: str
    choices: [promised, withdrawn]
    default: promised
  system:
    description: Identifier of the database system. A record of another one is not touched.
    type: str
    required: true
  timeline:
    description: The timeline that the standby will have as the master, higher than that of every master before it.
    type: int
    required: true
  candidate: {description: The standby that is to become the master., type: str, required: true}
  run:
    description:
      - The identity of this run, as M(hawq.mirroring.options) returns it. When a second run asks for the same promise,
        no run takes it back any more, since the other one may rely on it.
    type: str
    required: true
  anyway:
    description:
      - Whether O(state=withdrawn) takes the promise back although another run has asked for it. Only the operator can
        know that no such run is working and that the candidate has not become a master.
    type: bool
    default: false
  timeout: {description: Seconds to wait for another process that has the record., type: int, default: 10}
attributes:
  diff_mode: {description: Shows what is promised to whom.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Let this witness promise timeline 2 to smdw
  hawq.mirroring.promise:
    user: gpadmin
    path: /var/lib/hawq-mirroring-witness/hawq-master.json
    system: "7712689664250374424"
    timeline: 2
    candidate: smdw
    run: "{{ options.run }}"

- name: Take the promise back, since this run does not go on
  hawq.mirroring.promise:
    user: gpadmin
    path: /var/lib/hawq-mirroring-witness/hawq-master.json
    state: withdrawn
    system: "7712689664250374424"
    timeline: 2
    candidate: smdw
    run: "{{ options.run }}"
"""

RETURN = r"""
kept:
  description:
    - Whether the promise is on the disk of this witness, so that it outlives a power cut. In check mode, whether it
      would be.
  type: bool
  returned: always
perhaps:
  description:
    - Whether the promise may be there although the disk has refused. It does not count, and it has to be withdrawn when
      the run does not go on.
  type: bool
  returned: always
why:
  description:
    - Why the witness does not do it, for programs. Empty when it does. One of V(no-record), V(damaged),
      V(other-system), V(promised) (a higher timeline), V(other-master) (this timeline to another one), V(newer-run) (it
      has a grant of a newer timeline), V(other-run) (of a withdrawal), V(too-long), V(busy) and V(disk).
  type: str
  returned: always
  sample: disk
words:
  description:
    - The same for people.
  type: str
  returned: always
  sample: "its disk refuses (No space left on device: /var/lib/hawq-mirroring-witness/hawq-master.json.new)"
record:
  description:
    - What the witness had on its disk before, C(system), C(name), C(wish) (the newest that it has granted) and
      C(promised). None where there is none that can be believed.
  type: dict
  returned: always
age_seconds:
  description: Seconds since the moment of C(wish) by the clock of this host. None where there is no wish.
  type: float
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import promise

if __name__ == "__main__":
    promise.run()
