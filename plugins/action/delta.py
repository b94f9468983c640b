# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _guard, _payload, _watch

PROGRESS = "hawq.mirroring.snapshot_progress"
#: until the other host's session is there
GRACE = 3


class ActionModule(_payload.Sharing):
    """Run the module on the host that becomes the standby, and meanwhile show on the master how far it is."""

    _supports_check_mode = True

    @_guard.sentence("the comparison could not be followed")
    def run(self, tmp=None, task_vars=None):
        """One task for both hosts, since a play has no two tasks at once."""
        result = super().run(tmp, task_vars)
        if not boolean(self._task.args.get("watch", False)) or self._task.check_mode:
            return {**result, **self._execute_module(task_vars=task_vars)}
        asked, limit = {"instance": self._task.args["instance"]}, int(self._task.args.get("timeout", 86400))

        def ask():
            return self._execute_module(module_name=PROGRESS, module_args=asked, task_vars=task_vars)

        # with a low rate limit minutes go by between two answers
        return {**result, **_watch.watch(ask, "delta", limit, GRACE, stall=limit)}
