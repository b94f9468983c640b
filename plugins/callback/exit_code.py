# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: exit_code
type: notification
short_description: End ansible-playbook with the exit code that state.yml found
version_added: 0.1.0
description:
  - Ansible ends with 2 when a task fails, whatever the task is. A monitor wants to know whether there is no master, or
    only no standby. With this callback C(ansible-playbook) ends with the code that P(hawq.mirroring.report#module) of
    C(state.yml) has returned; C(docs/state.md) lists them.
  - When anything else of the run has failed, it ends as Ansible does. With several clusters the worst code counts.
  - It must be the last one in C(callbacks_enabled), since what follows is not told of the end of a run with a problem.
requirements:
  - It must be enabled, with C(callbacks_enabled=hawq.mirroring.exit_code) in C(ansible.cfg) or in the environment
    variable C(ANSIBLE_CALLBACKS_ENABLED).
author: [hawq.mirroring contributors (@hawq)]
"""

import sys
import typing as t

from ansible.plugins.callback import CallbackBase
from ansible_collections.hawq.mirroring.plugins.module_utils.values import findings

REPORT = "hawq.mirroring.report"


class CallbackModule(CallbackBase):
    """Remembers what the report of a state has returned, and ends the process with it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "hawq.mirroring.exit_code"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Begin with nothing found."""
        super().__init__(*args, **kwargs)
        self._codes: list[int] = []

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Remember the code of a report that has failed."""
        code = result._result.get("exit_code")
        if result._task.action == REPORT and code and not ignore_errors:
            self._codes.append(int(code))

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """End the process, when nothing else has failed. The recap is printed: that callback always is the first."""
        failed = sum(stats.failures.values())
        if self._codes and not stats.dark and failed == len(self._codes):
            sys.stdout.flush()
            raise SystemExit(min(self._codes, key=findings.PRECEDENCE.index))
