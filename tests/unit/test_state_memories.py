# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the state says of the memories of segments, and how one hears of its master again."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import state as state_report
from observations import empty, mirrored, standby, unreachable

STALE = {"summary_state": "Not Synchronized"}
ROW = {"hostname": "sdw1", "port": 40000, "status": "u", "description": ""}
OPEN = {"open": True, "answers": True, "error": None}


def judged(segments: list[dict[str, t.Any]], reaches: bool) -> dict[str, t.Any]:
    told = cases.segment(**STALE)
    probe = told["witnesses"]["sdw1"]["probes"]["mdw"]
    probe.update(OPEN if reaches else {})
    return cases.state({"mdw": mirrored("mdw", {"server.segments": segments}), "smdw": standby()}, told)


@pytest.mark.parametrize(
    ("segments", "reaches", "command"),
    [
        ([], False, "mend the way from sdw1 to mdw:5432 (timed out), and it hears of mdw by itself"),
        ([], True, "ansible-playbook hawq.mirroring.init_segments"),
        ([{**ROW, "status": "d"}], True, "ansible-playbook hawq.mirroring.init_segments"),
        ([ROW], True, "wait, then look again: ansible-playbook hawq.mirroring.state"),
    ],
)
def test_how_it_hears_of_its_master_again(segments: list[dict[str, t.Any]], reaches: bool, command: str) -> None:
    (found,) = judged(segments, reaches)["problems"]
    assert found["kind"] == "memory-against"
    assert found["host"] == "sdw1"
    assert found["command"].startswith(command)
    assert "sdw1 remembers mdw at LSN 0/3017F88 on timeline 1, Not Synchronized" in found["text"]


LINES = ["host postgres hawq_mirroring_segment 10.9.0.4/32 scram-sha-256"]
REPORTS = {"program": "a", "settings": {}, "unit": "b", "stale": False, "enabled": True, "active": True, "says": ""}


@pytest.mark.parametrize(
    ("lines", "database", "rows", "active", "said"),
    [
        (LINES, "postgres", [ROW], True, None),
        (LINES, "template1", [ROW], True, "are for the database postgres, and mdw is asked in the database template1"),
        (LINES, "template1", [], True, "are for the database postgres"),
        (LINES, "postgres", [], True, "it has never registered there"),
        (LINES, "postgres", [{**ROW, "hostname": "other"}], True, "it has never registered there"),
        (LINES, "postgres", [{**ROW, "status": "d"}], True, None),
        (LINES, "template1", [], False, None),
        (None, "template1", [], True, None),
    ],
)
def test_a_segment_that_is_shut_out(
    lines: list[str] | None, database: str, rows: list[dict[str, t.Any]], active: bool, said: str | None
) -> None:
    """The first database was renamed on a running pair: what the segments may was given in that one."""
    told = cases.segment(master="mdw")
    told["witnesses"]["sdw1"]["programs"]["segment"] = {**REPORTS, "active": active}
    master = mirrored("mdw", {"blocks.segments": lines, "server.segments": rows, "server.database": database})
    document = cases.state({"mdw": master, "smdw": standby()}, told)
    found = [row for row in document["problems"] if row["kind"] == "segment-shut-out"]
    assert [row["host"] for row in found] == ([] if said is None else ["sdw1"])
    for row in found:
        assert said is not None
        assert said in row["text"]
        assert row["command"] == "ansible-playbook hawq.mirroring.init_segments"
        assert document["exit_code"] == 13


def test_the_reason_of_a_refused_failover_is_the_memory() -> None:
    document = judged([], False)
    refused = [row for row in document["readiness"] if row["case"] == "host goes silent"]
    assert [row["kinds"] for row in refused] == [["data-missing"]]
    assert refused[0]["mend"].startswith("mend the way from sdw1")


def test_what_each_remembers_is_shown() -> None:
    told = {
        "witnesses": {
            **cases.segment(master="mdw")["witnesses"],
            "sdw2": unreachable(),
            **{"witnesses": {"sdw9": empty("sdw1")}}["witnesses"],
        }
    }
    document = cases.state({"mdw": mirrored("mdw"), "smdw": standby()}, told)
    rows = document["segments"]["memories"]
    assert [(row["name"], row["master"], row["lsn"], row["trouble"]) for row in rows] == [
        ("sdw1", "mdw", "0/3017F88", None),
        ("sdw2", None, None, rows[1]["trouble"]),
        ("sdw9", None, None, None),
    ]
    said = " ".join(state_report.text(document).split())
    assert "Segment sdw1 remembers" in said
    assert "Synchronized at LSN 0/3017F88 on timeline 1" in said
    assert "no master yet" in said


def test_without_segments_nothing_is_said() -> None:
    document = cases.state({"mdw": mirrored("mdw"), "smdw": standby()})
    assert document["segments"]["memories"] == []
    assert "remembers" not in state_report.text(document)
