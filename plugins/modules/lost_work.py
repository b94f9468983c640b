#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: lost_work
short_description: Keep aside what only a former master has, before it is overwritten
version_added: 0.2.0
description:
  - Copies the control file and the WAL beyond the fork to a directory beside the data directory, with what
    M(hawq.mirroring.divergence_info) found in it as C(lost.json). Nothing removes it but the operator.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.history
options:
  divergence: {description: What M(hawq.mirroring.divergence_info) returned., type: dict, required: true}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Names the directory., support: full}
  idempotent: {description: What is kept already is not kept again., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Keep aside what only the former master has
  hawq.mirroring.lost_work:
    instance: "{{ server_instance }}"
    divergence: "{{ divergence }}"
    history: [{timeline: 1}]
"""

RETURN = r"""
directory:
  description: Where it is kept.
  type: str
  returned: always
"""

import os

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import divergence, rewind
from ansible_collections.hawq.mirroring.plugins.module_utils.host.lock import alone
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places


def main(module):
    """Act alone; what is there already is left alone."""
    instance, run = instance_of(module.params["instance"]), Runner()
    found = module.params["divergence"]
    place = places.lost(instance.data_directory, found["end_lsn"])
    there = os.path.exists(os.path.join(place, "lost.json"))
    if not there and not module.check_mode:
        with alone():
            rewind.keep_lost(instance, run, divergence.parts_of(module.params["history"]), found)
    shown = f"{place}\n"
    return {"changed": not there, "directory": place, "diff": {"before": shown if there else "", "after": shown}}


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "divergence": {"type": "dict", "required": True},
            "history": divergence.HISTORY_OPTION,
        },
    )
