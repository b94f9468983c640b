# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a report reads of the results of tasks."""

from __future__ import annotations

from ansible_collections.hawq.mirroring.plugins.module_utils.report import sources


def test_a_report_tells_nothing_of_ansible() -> None:
    answer = {"changed": True, "stopped": "fast", "failed_when_result": False, "invocation": {}, "stdout_lines": []}
    told = sources.parts("failover", {"old": "mdw", "new": "smdw"}, lambda host, register: answer)
    assert told["fenced"] == {"changed": True, "stopped": "fast"}
