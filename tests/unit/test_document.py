# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The document of a run: its times, and that there is one however a run ends."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import document


@pytest.mark.parametrize(
    ("marks", "seconds", "total"),
    [
        pytest.param({"began": 10.0, "judge": 12.5}, {"judge": 2.5, "act and confirm": 7.5}, 10.0, id="each step"),
        pytest.param({"began": 10.0, "a": None, "b": 15.0}, {"b": 5.0, "act and confirm": 5.0}, 10.0, id="left out"),
        pytest.param({}, {"act and confirm": 0.0}, 0.0, id="none"),
    ],
)
def test_times(marks: dict[str, float | None], seconds: dict[str, float], total: float) -> None:
    assert document.timed(marks, 20.0) == {"seconds": seconds, "total_seconds": total}


def test_a_check_names_no_time_of_a_copy() -> None:
    marks: dict[str, float | None] = {"began": 10.0, document.LOOK: 12.0, "prepare": 15.0, "copy and verify": 19.0}
    assert document.timed(marks, 20.0, check=True)["seconds"] == {document.LOOK: 2.0, "try the steps": 8.0}


RAIN = {"found": "it rains", "why": "you would get wet", "command": "Take a coat"}


@pytest.mark.parametrize(
    ("report", "result", "ended"),
    [
        pytest.param(document.begun("failover", 0.0, False), "failed", None, id="killed"),
        pytest.param(
            document.refused("failover", 0.0, 1.0, False, [RAIN]), "refused", "1970-01-01T00:00:01Z", id="refused"
        ),
        pytest.param(
            document.failed("failover", 0.0, 1.0, False, ["x"]), "failed", "1970-01-01T00:00:01Z", id="failed"
        ),
    ],
)
def test_every_end_has_its_report(report: dict[str, t.Any], result: str, ended: str | None) -> None:
    head = {name: report[name] for name in ("version", "workflow", "result", "began", "ended")}
    assert head == {
        "version": 1,
        "workflow": "failover",
        "result": result,
        "began": "1970-01-01T00:00:00Z",
        "ended": ended,
    }
    assert set(report) <= set(t.get_type_hints(document.Report))


def test_a_switchover_whose_old_master_stays_behind_keeps_its_own_report() -> None:
    swap = {
        "workflow": "switchover",
        "began": "2026-11-25T10:00:00Z",
        "result": "done",
        "facts": {"Data lost": "none"},
        "next": ["clients: host=smdw"],
    }
    found = document.left_behind(swap, 1795600000.0, ["mdw is off"], "ansible-playbook hawq.mirroring.resync_standby")
    assert (found["workflow"], found["began"], found["result"]) == ("switchover", swap["began"], "failed")
    assert found["facts"] == {"Data lost": "none", "The old master": "does not follow yet"}
    assert found["why"] == ["mdw is off"]
    assert found["next"][0] == "clients: host=smdw"
    assert found["next"][1].endswith("let it follow: ansible-playbook hawq.mirroring.resync_standby")
