# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import time

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _guard, _payload

SAY_EVERY = 5


class ActionModule(_payload.Sharing):
    """Run the module; for state=finished repeat it until the job has ended."""

    _supports_check_mode = True

    @_guard.sentence("the copy could not be followed")
    def run(self, tmp=None, task_vars=None):
        """Return the module's last answer; fail when the job failed."""
        result = super().run(tmp, task_vars)
        answer = self._execute_module(task_vars=task_vars)
        if self._task.args["state"] != "finished" or self._task.check_mode:
            result.update(answer, mark=time.time())
            return result
        begin = said = time.monotonic()
        phase, controller = "copying", os.getppid()
        while answer.get("phase") in ("copying", "verifying"):
            phase = answer["phase"]
            if os.getppid() != controller:
                raise AnsibleActionFail("the controller has died; the job goes on without it")
            if time.monotonic() - said >= SAY_EVERY:
                said = time.monotonic()
                Display().display(f"  snapshot: {phase}, {said - begin:.0f} s")
            if time.monotonic() - begin > int(self._task.args.get("timeout", 86400)):
                raise AnsibleActionFail(f"the snapshot job is still {phase} after {time.monotonic() - begin:.0f} s")
            answer = self._execute_module(task_vars=task_vars)
        result.update(answer, mark=time.time())
        if answer.get("phase") == "failed":
            what = "the verification" if "pg_verifybackup" in answer["log"] else "the copy"
            result.update(failed=True, msg=f"{what} failed: {answer['log']}")
        elif answer.get("phase") == "none":
            result.update(failed=True, msg="the snapshot job is gone (was the host restarted?): run the playbook again")
        return result
