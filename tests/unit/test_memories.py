# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which memories of segments are believed, and what a failover makes of a lie."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import evidence, memories
from ansible_collections.hawq.mirroring.plugins.module_utils.report import failover as failover_report
from cases import QUIET, Hosts, failover, segment
from observations import CLOSED, FOREIGN, OWN, crashed, standby, stopped_standby, unreachable

GONE = {"mdw": unreachable(), "smdw": standby("smdw", CLOSED)}
DOWN = {"master_is_down": True}
AT = 1795428856.0


def of(*rows: dict[str, t.Any]) -> Hosts:
    """Segments, put together."""
    return {name: seen for row in rows for name, seen in row["witnesses"].items()}


def judged(witnesses: Hosts, hosts: Hosts | None = None, **options: t.Any) -> t.Any:
    return failover(hosts or GONE, {**DOWN, "witnesses": witnesses, **options})


def test_an_invented_lsn_delays_until_its_witness_is_ignored() -> None:
    lie = of(segment(lsn="FFFFFFFF/0", system_identifier=OWN), segment("sdw2", system_identifier=OWN))
    (refusal,) = judged(lie).refusals
    assert refusal.kind == "data-missing"
    assert (
        "sdw1 remembers mdw at LSN FFFFFFFF/0 on timeline 1, Synchronized, since 2026-11-23 10:14:16 UTC"
        in refusal.found
    )
    command = "ansible-playbook hawq.mirroring.failover -e master_is_down=true -e ignore_witness=sdw1"
    assert refusal.command.endswith(f"If sdw1 cannot be right: {command}")
    plan, refusals = judged(lie, ignore_witness=["sdw1"])
    assert refusals == []
    assert plan["ignored_witnesses"] == ["sdw1"]
    assert "ignored witness: sdw1" in plan["evidence"]
    assert plan["segments"] == ["sdw1", "sdw2"]
    document = {"check": True, "plan": plan, "fenced": {}, "offer": {}, "activation": {}}
    assert failover_report.report(document)["facts"]["Ignored witnesses"] == "sdw1"


def test_an_invented_timeline_delays_until_its_witness_is_ignored() -> None:
    lie = of(segment(timeline=9, lsn="0/1", system_identifier=OWN))
    (refusal,) = judged(lie).refusals
    assert "an unknown amount of WAL" in refusal.found
    assert "on timeline 9" in refusal.found
    assert "smdw has timeline 1" in refusal.found
    assert "-e ignore_witness=sdw1" in refusal.command
    assert judged(lie, ignore_witness=["sdw1"]).refusals == []


def test_a_lie_hides_no_truth() -> None:
    """What a liar says does not take the place of what another segment knows."""
    both = of(segment(timeline=9, lsn="0/1"), segment("sdw2", lsn="0/9000000"))
    (refusal,) = judged(both).refusals
    assert refusal.command.count("cannot be right: ansible-playbook") == 2
    (refusal,) = judged(both, ignore_witness=["sdw1"]).refusals
    assert "sdw2 remembers mdw at LSN 0/9000000" in refusal.found
    hosts = {"mdw": crashed(), "smdw": standby("smdw", CLOSED)}
    assert failover(hosts, {"witnesses": both}).plan["known_lsn"] == "0/9000000"


def test_two_liars_are_ignored_together() -> None:
    lies = of(segment(lsn="F/0"), segment("sdw2", lsn="E/0"))
    (refusal,) = judged(lies, ignore_witness=["sdw1"]).refusals
    assert "-e ignore_witness=sdw1,sdw2" in refusal.command
    assert judged(lies, ignore_witness=["sdw1", "sdw2"]).refusals == []


def test_a_lie_of_a_third_host_names_its_witness() -> None:
    hosts = {"mdw": crashed(), "smdw": standby("smdw", QUIET), "sdw1": unreachable()}
    lie = of(segment("sdw2", master="sdw1", timeline=9))
    (refusal,) = failover(hosts, {"witnesses": lie}).refusals
    assert refusal.kind == "another-took-over"
    assert "sdw2 remembers sdw1 at LSN 0/3017F88 on timeline 9" in refusal.found
    assert "-e ignore_witness=sdw2" in refusal.command
    assert failover(hosts, {"witnesses": lie, "ignore_witness": ["sdw2"]}).refusals == []


def test_what_a_witness_sees_now_is_never_ignored() -> None:
    seen = of(segment(at=AT))
    seen["sdw1"]["probes"]["mdw"] = {**seen["sdw1"]["probes"]["mdw"], "open": True, "answers": True}
    (refusal,) = judged(seen, ignore_witness=["sdw1"]).refusals
    assert refusal.kind == "master-alive"


def test_a_memory_of_another_system_is_not_believed() -> None:
    other = of(segment(lsn="FFFFFFFF/0", summary_state="Not Synchronized", system_identifier=FOREIGN))
    plan, refusals = judged(other)
    assert refusals == []
    assert plan["segments"] == []
    assert f"what sdw1 remembers is of another system ({FOREIGN}) and not believed" in plan["evidence"]


def test_a_memory_without_a_system_is_believed() -> None:
    assert [refusal.kind for refusal in judged(of(segment(lsn="0/9000000"))).refusals] == ["data-missing"]


def test_a_damaged_memory_is_told_and_stops_nobody() -> None:
    damaged = of(segment())
    damaged["sdw1"]["witness_damage"] = "it is no JSON"
    plan, refusals = judged(damaged)
    assert refusals == []
    assert plan["segments"] == ["sdw1"]
    assert "what sdw1 remembers is damaged and not believed: it is no JSON" in plan["evidence"]


def test_a_salvage_is_told_which_witness_alone_knows_of_more() -> None:
    hosts = {"mdw": crashed(), "smdw": standby("smdw", CLOSED)}
    plan = failover(hosts, {"witnesses": of(segment(lsn="0/9000000"))}).plan
    assert plan["known_lsn"] == "0/9000000"
    assert plan["known_from"].startswith("sdw1 remembers mdw at LSN 0/9000000 on timeline 1")
    assert plan["known_from"].endswith("hawq.mirroring.failover -e ignore_witness=sdw1")
    assert plan["standing"]["known_from"] == plan["known_from"]
    assert failover(hosts, {"witnesses": of(segment(at=AT))}).plan["known_from"] == ""


FURTHEST: dict[str, tuple[Hosts, int | None, str | None]] = {
    "nobody": ({}, None, None),
    "the higher LSN, not the later clock": (
        of(segment(lsn="0/2", at=1.0), segment("sdw2", lsn="0/1", at=2.0)),
        None,
        "sdw1",
    ),
    "the later timeline, not the higher LSN": (
        of(segment(lsn="F/0"), segment("sdw2", timeline=2, lsn="0/1")),
        None,
        "sdw2",
    ),
    "of two that are equal the worse": (
        of(segment(at=9.0), segment("sdw2", summary_state="Not Synchronized", at=1.0)),
        None,
        "sdw2",
    ),
    "one of an older timeline does not count": (of(segment(lsn="F/0")), 2, None),
    "one of another master does not count": (of(segment(master="smdw")), None, None),
    "one without a timeline counts": (of(segment(timeline=None)), 2, "sdw1"),
}


@pytest.mark.parametrize(("witnesses", "timeline", "name"), FURTHEST.values(), ids=FURTHEST)
def test_the_furthest_memory(witnesses: Hosts, timeline: int | None, name: str | None) -> None:
    found = memories.furthest("mdw", witnesses, timeline)
    assert (found["name"] if found else None) == name


def test_a_memory_of_an_older_timeline_is_out_of_date() -> None:
    hosts = {
        "mdw": unreachable(),
        "smdw": standby("smdw", {**CLOSED, "server.timeline": 2, "server.checkpoint_timeline": 2}),
    }
    past = of(segment(lsn="0/9000000", summary_state="Not Configured"))
    assert judged(past, hosts).refusals == []
    assert evidence.known("mdw", "smdw", hosts, past).memory is None


def test_a_standby_whose_timeline_is_not_known_is_measured_by_the_lsn() -> None:
    seen = stopped_standby("smdw", {"control": None})
    assert (
        evidence.known("mdw", "smdw", {"mdw": unreachable(), "smdw": seen}, of(segment(timeline=3))).lsn == "0/3017F88"
    )
