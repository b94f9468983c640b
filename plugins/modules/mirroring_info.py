#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mirroring_info
short_description: The state of mirroring, as clients of the master see it
version_added: 0.1.0
description:
  - Returns the row of C(gp_master_mirroring). With O(wait_for) it waits, bounded, until that state is there,
    and fails when it does not come.
  - It fails at once when the answer is final, for example because the server has stopped, its data is damaged, or its
    replay cannot go on with its settings.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes.info
options:
  wait_for:
    description:
      - State to wait for. V(session) waits until the server gives sessions, or its unit has failed.
      - V(recovering) waits for the same, and is content with a standby that replays and gives none, because
        C(hot_standby) is off, its sessions are taken, or a snapshot is still to come. Such a standby can be activated.
    type: str
    choices: [session, recovering, Not Configured, Synchronizing, Synchronized, Not Synchronized]
  standby: {description: "Name of the standby that is meant. Without it, the worst one.", type: str}
  timeout: {description: Seconds to wait for at most., type: int, default: 60}
  advice: {description: "What to say when that state does not come: the command that goes on.", type: str, default: ""}
attributes:
  check_mode: {description: Asks once and does not wait.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Wait until the standby is synchronised
  hawq.mirroring.mirroring_info:
    instance: "{{ server_instance }}"
    wait_for: Synchronized
"""

RETURN = r"""
mirroring:
  description: The row C(summary_state), C(detail_state), C(since) (seconds since the epoch) and C(error_message).
  type: dict
  returned: always
damaged:
  description: What the server says of damaged data, as a sentence.
  type: str
  returned: when it does, with a failure
waited:
  description: Seconds until the state was there.
  type: float
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import mirroring_info

if __name__ == "__main__":
    mirroring_info.run()
