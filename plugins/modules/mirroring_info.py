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
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  wait_for:
    description: State to wait for. V(session) waits until the server gives sessions, or its unit has failed.
    type: str
    choices: [session, Not Configured, Synchronizing, Synchronized, Not Synchronized]
  standby: {description: "Name of the standby that is meant. Without it, the worst one.", type: str}
  timeout: {description: Seconds to wait for at most., type: int, default: 60}
  advice: {description: "What to say when that state does not come: the command that goes on.", type: str, default: ""}
attributes:
  check_mode: {description: Asks once and does not wait., support: full}
  diff_mode: {description: Has nothing to show., support: none}
  idempotent: {description: Changes nothing., support: full}
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
waited:
  description: Seconds until the state was there.
  type: float
  returned: always
"""

import time

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, server_info
from ansible_collections.hawq.mirroring.plugins.module_utils.host import systemd
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner

SESSION = "session"


def ask(instance, standby):
    """The view's row, an empty one where the view is not installed, or None and the reason when there is no session."""
    try:
        with database.session(instance) as cursor:
            if not database.rows(cursor, server_info.VIEW_EXISTS)[0]["there"]:
                return {"summary_state": None, "detail_state": None, "since": None, "error_message": "no view"}, ""
            mirrors = database.rows(cursor, server_info.MIRRORS) if standby else []
            mine = [row for row in mirrors if row.pop("standby") == standby]
            return (mine or database.rows(cursor, server_info.VIEW))[0], ""
    except MirroringError as error:
        return None, str(error)


def last_words(instance, run):
    """What the server's unit logged last, or nothing while it runs."""
    if systemd.unit(run, instance.service)["active"] in ("active", "activating", "reloading"):
        return None
    _code, output, _errors = run(["journalctl", "--unit", instance.service, "-n", "4", "-o", "cat"], timeout=10)
    return " | ".join(output.split("\n")).strip(" |")


def main(module):
    """Ask until the answer fits or the time is up."""
    wanted, limit = module.params["wait_for"], module.params["timeout"]
    instance = instance_of(module.params["instance"])
    run, advice = Runner(), module.params["advice"]
    begin = time.monotonic()
    while True:
        row, reason = ask(instance, module.params["standby"])
        waited = round(time.monotonic() - begin, 2)
        died = last_words(instance, run) if row is None else None
        if died is not None and not module.check_mode:
            last = died.rstrip(". ") or "no log"
            raise MirroringError(f"the server of {instance.service} has stopped: {last}. {advice}".rstrip(" ."))
        if row and wanted in (None, SESSION, row["summary_state"]):
            return {"changed": False, "mirroring": row, "waited": waited}
        if module.check_mode:
            return {"changed": False, "mirroring": row or {}, "waited": waited}
        if row is None and wanted in (None, SESSION):
            what = f"no session with the server after {waited:.0f} s"
        else:
            what = f"mirroring is not {wanted} after {waited:.0f} s"
        if row:
            words = (row["summary_state"], row["detail_state"], row["error_message"])
            reason = ": ".join(text for text in words if text) or "the view says nothing"
        if wanted is None or waited > limit:
            raise MirroringError(
                f"{what} ({reason}). Look at the logs of both servers (journalctl -u {instance.service})."
                f" {advice}".rstrip(),
                mirroring=row or {},
                waited=waited,
            )
        time.sleep(0.1)


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "wait_for": {
                "type": "str",
                "choices": [SESSION, "Not Configured", "Synchronizing", "Synchronized", "Not Synchronized"],
            },
            "standby": {"type": "str"},
            "timeout": {"type": "int", "default": 60},
            "advice": {"type": "str", "default": ""},
        },
    )
