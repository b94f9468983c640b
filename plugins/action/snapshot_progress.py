# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ansible_collections.hawq.mirroring.plugins.plugin_utils import _guard, _payload, _watch

#: a job that has just been started needs a moment until the master shows it
GRACE = 1
#: the master may go on for minutes with a copy whose taker has gone; the job itself notices that within half a minute
STALL = 15


class ActionModule(_payload.Sharing):
    """Show how far the copy is until the master knows of none any more."""

    @_guard.sentence("how far the copy is could not be told")
    def run(self, tmp=None, task_vars=None):
        """Poll, bounded; the outcome is the snapshot job's to tell."""
        result = super().run(tmp, task_vars)
        limit = int(self._task.args.get("timeout", 86400))
        found = _watch.watch(lambda: self._execute_module(task_vars=task_vars), "snapshot", limit, GRACE, STALL)
        return {**result, **found}
