#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: activation
short_description: Make a standby the master
version_added: 0.1.0
description:
  - Promotes the standby on this host, also when its replay is paused, and waits, bounded, until a write commits. No
    session with the standby is needed for that. Sessions that hold its replay up are ended, and so are idle ones where
    no session is free; RV(ended_sessions) says which.
  - It fails and changes nothing when the standby's settings are smaller than its master's, which would end the server.
    M(hawq.mirroring.recovery_settings) sets them.
  - Then it gives the new master what it needs, a limit to the WAL that slots keep, slots that keep WAL for the old
    master's way back and for further standbys, and only those registered.
  - Then it brings the address that follows the master here. That the address stays away is told and is no failure,
    since the master is there.
  - A server that already is a master is not promoted again.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state:
    description: >-
      V(active) promotes; V(checkpointed) makes the checkpoint that a later rewind needs; V(confirming) waits, for
      O(timeout) at most, until a new master whose commits are O(held) confirms them.
    type: str
    choices: [active, checkpointed, confirming]
    default: active
  role: {description: Replication role that standbys are registered at., type: str, default: hawq_mirroring}
  name: {description: Name of the new master in the views., type: str}
  slots:
    description: Slots that keep WAL for the old master and for further standbys.
    type: list
    elements: str
    default: []
  silent:
    description: >-
      Servers, each with C(address) and C(port), that must not answer, since nobody has fenced them. They are asked
      when O(looked) is more than 20 seconds ago, as of a controller that was asleep.
    type: list
    elements: dict
    default: []
  looked:
    description: Clock of this host when it was looked at, as M(hawq.mirroring.instance_info) returns it, in seconds.
    type: float
  standbys: {description: Further standbys that stay registered., type: list, elements: str, default: []}
  wal_keep_megabytes:
    description: >-
      Limit of the WAL kept by slots, in megabytes, where there is none yet. It is never more than the disk can hold.
    type: int
    default: 10240
  other_slots:
    description: Whether others are to get slots here. Then the limit is what the disk can hold.
    type: bool
    default: false
  virtual_ip:
    description: The address that follows the master.
    type: dict
    default: {}
    suboptions:
      address: {description: The address with its prefix. None when empty., type: str, default: ""}
      interface: {description: Network interface., type: str, default: ""}
  virtual_ip_timeout: {description: Seconds that the address may take., type: int, default: 30}
  held:
    description: >-
      Whether the new master confirms no commit before its guard lets it. Then C(synchronous_standby_names) names nobody
      before the promotion, and stays the guard's.
    type: bool
    default: false
  inherited:
    description: What that guard is told before there is a new master, and what the promotion heeds.
    type: dict
    suboptions:
      timeline: {description: That the new master will have., type: int, required: true}
      number: {description: The highest number of a wish that the witnesses know of., type: int, required: true}
      witnesses:
        description: Lists of witnesses of which a majority each must grant the first wish.
        type: list
        elements: list
        default: []
      skipped:
        description: Timelines that were promised to other hosts, and that the promotion passes over.
        type: list
        elements: int
        default: []
  timeout: {description: Seconds that the promotion may take., type: int, default: 60}
attributes:
  diff_mode: {description: Shows the role of the server.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Activate the standby
  hawq.mirroring.activation:
    instance: "{{ server_instance }}"
    slots: [hawq_mirroring_mdw]
"""

RETURN = r"""
promoted:
  description: Whether this call promoted the server.
  type: bool
  returned: always
activation_lsn:
  description: LSN at which the new timeline begins. Null on timeline 1.
  type: str
  returned: with O(state=active), not in check mode before the promotion
timeline: {description: The timeline now., type: int, returned: with O(state=active)}
seconds: {description: From the call until a write had committed., type: float, returned: with O(state=active)}
done:
  description: What was done beside the promotion.
  type: list
  elements: str
  returned: with O(state=active), not in check mode
ended_sessions:
  description: Sessions that were ended, each with C(pid), C(title) and C(why).
  type: list
  elements: dict
  returned: not in check mode
last_commit_at:
  description: When the last transaction was committed that this standby has replayed, in seconds since the epoch.
  type: float
  returned: with O(state=active), when this call promoted the server and there was one
promoted_at:
  description: When it was the master, in seconds since the epoch.
  type: float
  returned: with O(state=active), when this call promoted the server
address_trouble:
  description: Why the address is not here.
  type: str
  returned: with O(state=active), when it is not
released_from:
  description: What C(synchronous_standby_names) was, when commits would have waited for a standby that is not there.
  type: str
  returned: with O(state=active)
held:
  description: Whether commits wait for a standby that is nobody, until a standby or the witnesses' consent is there.
  type: bool
  returned: with O(state=confirming)
waits_for:
  description: What C(synchronous_standby_names) is.
  type: str
  returned: with O(state=confirming)
consented:
  description: Witnesses by whose consent commits go on without a standby.
  type: list
  elements: str
  returned: with O(state=confirming)
reason:
  description: What the guard says of it.
  type: str
  returned: with O(state=confirming)
waited: {description: Seconds until then., type: float, returned: with O(state=confirming)}
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import activation

if __name__ == "__main__":
    activation.run()
