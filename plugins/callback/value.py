# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: value
type: stdout
short_description: Print the value that state_query asks for, and nothing else
version_added: 0.1.0
description:
  - For a shell that wants one value of the state. It is chosen with C(ANSIBLE_STDOUT_CALLBACK=hawq.mirroring.value) in
    front of C(ansible-playbook hawq.mirroring.state -e state_query=master).
  - A text is printed without quotes, a list with a line for each, and all else as JSON. What has failed goes to the
    standard error.
author: [hawq.mirroring contributors (@hawq)]
"""

import sys
import typing as t

from ansible.plugins.callback import CallbackBase

REPORT = "hawq.mirroring.report"


class CallbackModule(CallbackBase):
    """Prints one value."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "hawq.mirroring.value"

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Print the value of a report."""
        self._show(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Print the value of a report that has found a problem, and what has failed."""
        self._show(result)
        if not ignore_errors:
            print(result._result.get("msg", "it has failed"), file=sys.stderr)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Say that there is nothing to look at."""
        print("no hosts matched", file=sys.stderr)

    @staticmethod
    def _show(result: t.Any) -> None:
        if result._task.action == REPORT and "value" in result._result:
            print(result._result["value"], flush=True)
