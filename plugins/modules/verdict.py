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
extends_documentation_fragment:
  - hawq.mirroring.attributes.info
options:
  workflow:
    description: What is to be done.
    type: str
    choices: [state, init_master, init_standby, init_segments, failover, resync_standby, switchover, remove_standby]
    required: true
  observed: {description: Name of the variable that the observing task registered., type: str, required: true}
  places:
    description: Name of the variable that a second observation of tablespaces' directories registered.
    type: str
  options: {description: Options of the workflow., type: dict, default: {}}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Judge the state
  hawq.mirroring.verdict:
    workflow: state
    observed: observed
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
  returned: success, when O(workflow) is not V(state)
"""
