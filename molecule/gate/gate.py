# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A callback that holds a run before one of its tasks begins on any host, so that a test can act or kill it just there.

The folder in NEMESIS_GATE has a file ``until``: a task's name and how often it was done before, or how many tasks were
done. ``at`` is written when the run has come there. It goes on when ``until`` says something else.
"""

from __future__ import annotations

import collections
import json
import os
import time
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: gate
type: aggregate
short_description: Holds a run before a task
description: Holds a run before a task, for tests.
"""


class CallbackModule(CallbackBase):
    """Counts what is done, and waits."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gate"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **named: t.Any) -> None:
        """Begin with nothing done."""
        super().__init__(*arguments, **named)
        self._folder = Path(os.environ["NEMESIS_GATE"])
        self._done: collections.Counter[str] = collections.Counter()
        self._task, self._counted = "", False

    def _held(self) -> bool:
        until = json.loads((self._folder / "until").read_text())
        return until in ([self._task, self._done[self._task]], sum(self._done.values()))

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """Wait where a test wants that."""
        self._task, self._counted = task.name, False
        while self._held():
            (self._folder / "at").write_text(self._task)
            time.sleep(0.05)

    def _count(self, *_result: t.Any, **_named: t.Any) -> None:
        """Count a task that some host does; one that all hosts skip is none, as in the model."""
        if not self._counted:
            self._done[self._task] += 1
            self._counted = True

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_unreachable = _count
