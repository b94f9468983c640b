#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verdict
short_description: Judge what the observations of all master hosts mean
version_added: 0.1.0
description:
  - Pure judgement on the controller. From what M(hawq.mirroring.instance_info) registered on the hosts of the group
    C(masters) it says who is master and standby and in what state mirroring is, and makes a plan for the workflow.
  - It fails with every reason at once when the workflow must not go on, each with what was found, why and the command
    that goes on. Nothing has been changed then.
  - It reads what the tasks of the playbooks have registered, so it only works inside them. The text is
    printed once, and a refused run's report is written.
extends_documentation_fragment:
  - hawq.mirroring.attributes.info
options:
  workflow:
    description:
      - What is to be done. V(salvage) is judged in the middle of a takeover, when the old master stands still, and
        V(promised) in the middle of a failover, when the witnesses have been asked for their promise.
    type: str
    choices:
      - state
      - init_master
      - init_standby
      - init_segments
      - failover
      - resync_standby
      - switchover
      - salvage
      - promised
      - trial
      - remove_standby
      - uninstall
    required: true
  options:
    description: Options of the workflow that differ from those that the playbook was given.
    type: dict
    default: {}
  started:
    description:
      - Judge V(resync_standby) again because the server that it started has failed. There is a plan only when its data
        is to blame and another way is left.
    type: bool
    default: false
  settled:
    description:
      - Of V(promised). Without it there is RV(withdraw) alone, so that promises can be taken back before the failover
        is refused. With it there is the plan, or the refusal.
    type: bool
    default: false
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Judge the state
  hawq.mirroring.verdict:
    workflow: state
  run_once: true
  register: judged
"""

RETURN = r"""
mark:
  description: When this was done, in seconds since the epoch, on the controller.
  type: float
  returned: success
state:
  description: The state document, as C(state.yml) writes it.
  type: dict
  returned: success
kinds:
  description: Kind of each refusal, as C(docs/types.md) lists them. The words stay, whatever the sentences become.
  type: list
  elements: str
  returned: when it refuses
plan:
  description: What the workflow will do.
  type: dict
  returned: success, when O(workflow) is not V(state) and no place has to be looked at first
steps:
  description: For each step of the workflow the names of the hosts that do it.
  type: dict
  returned: with RV(plan)
directories:
  description: Directories that each host must be asked for first, since tablespaces of the master go there.
  type: list
  elements: str
  returned: success, when O(workflow) is not V(state)
withdraw:
  description: Witnesses that may have a promise which is to be taken back, since the failover does not go on.
  type: list
  elements: str
  returned: of V(promised) without O(settled)
refused:
  description: That it is a refusal.
  type: bool
  returned: when refused
"""
