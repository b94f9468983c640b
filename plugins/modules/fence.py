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
  - Records since when and why, and what the control file said, in C(hawq_mirroring.fence) in the data directory.
  - With O(state=stopped) it only stops the server, whatever it is.
  - With O(state=undone) a stopped server may be started as a master again, since nobody has taken over. That is said to
    the boot interlock as well, for one start; a host that answers is asked all the same.
  - With O(state=lifted) a former master that streams from the new one by now loses that record, and the slots of its
    time as a master, which would keep WAL for ever.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state: {description: What is to be., type: str, choices: [fenced, stopped, undone, lifted], default: fenced}
  reason: {description: Why the server must not accept writes any more., type: str}
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
    - What is recorded, C(at), C(reason), C(was) and C(control) (the control file's fields), now or by an earlier run.
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

from ansible_collections.hawq.mirroring.plugins.module_utils.engines import choice
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import fencing
from ansible_collections.hawq.mirroring.plugins.module_utils.host import fence_record, virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.lock import alone
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


def main(module):
    """Act alone on this host."""
    options, act = module.params, not module.check_mode
    instance, run = instance_of(options["instance"]), Runner()
    with alone(act):
        if options["state"] == "stopped":
            return choice.of(instance.engine, postgresql=fencing.stop)(instance, run, act, timeout=options["timeout"])
        if options["state"] == "undone":
            return choice.of(instance.engine, postgresql=fencing.undo)(instance, act)
        if options["state"] == "lifted":
            return choice.of(instance.engine, postgresql=fencing.lift)(instance, act, timeout=options["timeout"])
        return choice.of(instance.engine, postgresql=fencing.fence)(
            instance,
            run,
            act,
            **only(options, "reason", "was", "offer", "accept_loss", "drain", "timeout"),
            address=options["virtual_ip"],
            warn=module.warn,
        )


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["fenced", "stopped", "undone", "lifted"], "default": "fenced"},
            "reason": {"type": "str"},
            "virtual_ip": virtual_ip.OPTION,
            "offer": {
                "type": "dict",
                "options": {
                    "after": {"type": "str", "required": True},
                    "have": {"type": "str", "required": True},
                    "timeline": {"type": "int", "required": True},
                    "known": {"type": "str"},
                    "known_from": {"type": "str", "default": ""},
                },
            },
            "accept_loss": {"type": "bool", "default": False},
            "drain": {"type": "int", "default": 0},
            "timeout": {"type": "int", "default": 20},
            "was": {
                "type": "str",
                "choices": [fence_record.MASTER, fence_record.STANDBY],
                "default": fence_record.MASTER,
            },
        },
        required_if=[("state", "fenced", ["reason"])],
    )
