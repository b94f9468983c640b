# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Showing how far a copy is while another host takes it."""

from __future__ import annotations

import os
import time
import typing as t

from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.module_utils.report import progress

SAY_EVERY = 4


def watch(
    ask: t.Callable[[], dict[str, t.Any]], what: str, limit: float, grace: float, stall: float
) -> dict[str, t.Any]:
    """Show a line now and then until the master knows of no copy any more; return an action's result.

    ``ask`` runs the module snapshot_progress; ``limit`` bounds it all, ``grace`` is the time until the copy must be
    seen and ``stall`` that without a byte, all in seconds. The outcome is told by the host that takes the copy.
    """
    begin = time.monotonic()
    seen, said, moved = None, 0.0, (0, begin)
    controller = os.getppid()
    # a worker outlives a controller that is killed, and would watch for ever for nobody
    while time.monotonic() - begin < limit and os.getppid() == controller:
        answer = ask()
        answered = answer.get("progress")
        now = time.monotonic()
        if answer.get("failed") or (answered is None and (seen is not None or now - begin > grace)):
            break
        if answered:
            seen = seen or {"at": now, "bytes": answered["streamed_bytes"]}
            if answered["streamed_bytes"] != moved[0] or not answered["streamed_bytes"]:
                moved = (answered["streamed_bytes"], now)
            if now - moved[1] > stall:
                Display().display(f"  {what}: nothing moves since {stall:.0f} s")
                break
            if now - said >= SAY_EVERY:
                said = now
                Display().display(progress.line(what, answered, now - seen["at"], seen["bytes"]))
        # each question costs some work on both hosts, which a long copy needs itself
        time.sleep(min(1.0, max(0.2, (now - begin) / 20)))
    return {"changed": False, "progress": None, "watched": round(time.monotonic() - begin, 1)}
