# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a report reads of the results of tasks."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.report import sources


def test_a_report_tells_nothing_of_ansible() -> None:
    answer = {"changed": True, "stopped": "fast", "failed_when_result": False, "invocation": {}, "stdout_lines": []}
    told = sources.parts("failover", {"old": "mdw", "new": "smdw"}, lambda host, register: answer)
    assert told["fenced"] == {"changed": True, "stopped": "fast"}


def test_a_change_that_any_host_tells_of_is_one() -> None:
    told = {("mdw", "master_views"): {"changed": False}, ("smdw", "environment_profile"): {"changed": True}}

    def read(host: str | None, register: str) -> dict[str, t.Any]:
        return told.get((host or "", register), {})

    assert sources.changed(["mdw", "smdw"], read) is True
    assert sources.changed(["mdw"], read) is False
