#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Show and write a report
version_added: 0.1.0
description:
  - Prints what has come of a run as text and writes it as JSON, both on the controller. It reads what the tasks of the
    playbooks have registered, so it only works inside them.
extends_documentation_fragment:
  - hawq.mirroring.attributes.info
options:
  workflow:
    description: What has been done. Not needed with O(failed) and O(bill).
    type: str
    choices:
      - state
      - init_master
      - init_standby
      - init_segments
      - failover
      - resync_standby
      - switchover
      - remove_standby
      - uninstall
  failed: {description: Whether the run has failed. The task fails then., type: bool, default: false}
  taken_back: {description: Whether what a failed run had made was taken back before., type: bool, default: false}
  given_up: {description: Whether a switchover was given up before anybody was activated., type: bool, default: false}
  bill: {description: Whether only the ways of a resynchronisation are shown., type: bool, default: false}
  write: {description: Whether the report is written., type: bool, default: true}
attributes:
  idempotent: {description: Changes nothing on the hosts.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Report the state
  hawq.mirroring.report:
    workflow: state
  run_once: true
"""

RETURN = r"""
exit_code:
  description:
    - How C(state.yml) is to end, as C(docs/state.md) lists it. P(hawq.mirroring.exit_code#callback) ends
      C(ansible-playbook) so.
    - V(0) while C(state_fail) is V(false).
  type: int
  returned: with O(workflow=state)
text:
  description: What was printed.
  type: str
  returned: always
"""
