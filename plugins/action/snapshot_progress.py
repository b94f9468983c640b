# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import time

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.module_utils import _progress

SAY_EVERY = 4
#: a job that has just been started needs a moment until the master shows it
GRACE = 1
#: the master may go on for minutes with a copy whose taker has gone; the job itself notices that within half a minute
STALL = 15


class ActionModule(ActionBase):
    """Show how far the copy is until the master knows of none any more."""

    def run(self, tmp=None, task_vars=None):
        """Poll, bounded; the outcome is the snapshot job's to tell."""
        result = super().run(tmp, task_vars)
        begin = time.monotonic()
        limit = int(self._task.args.get("timeout", 86400))
        seen, said, moved = None, 0.0, (0, begin)
        controller = os.getppid()
        # a worker outlives a controller that is killed, and would watch for ever for nobody
        while time.monotonic() - begin < limit and os.getppid() == controller:
            answer = self._execute_module(task_vars=task_vars)
            progress = answer.get("progress")
            now = time.monotonic()
            if answer.get("failed") or (progress is None and (seen is not None or now - begin > GRACE)):
                break
            if progress:
                seen = seen or {"at": now, "bytes": progress["streamed_bytes"]}
                if progress["streamed_bytes"] != moved[0] or not progress["streamed_bytes"]:
                    moved = (progress["streamed_bytes"], now)
                if now - moved[1] > STALL:
                    Display().display(f"  snapshot: nothing moves since {STALL} s")
                    break
                if now - said >= SAY_EVERY:
                    said = now
                    Display().display(_progress.line(progress, now - seen["at"], seen["bytes"]))
            time.sleep(0.2)
        result.update(changed=False, progress=None, watched=round(time.monotonic() - begin, 1))
        return result
