# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Judgement of engines that can less than the first one: it asks for capabilities, never for an engine's name."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines import table
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    init_standby,
    members,
    rewinding,
    switchover,
    topology,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import judge as failover
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Verdict
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import judge as resync
from observations import (
    HOSTS,
    Observation,
    change,
    empty,
    master,
    mirrored,
    set_to,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

OPTIONS: dict[str, t.Any] = {
    "standby_host": None,
    "master_host": None,
    "existing_data": "refuse",
    "replace_standby": False,
    "additional_standby": False,
    "master_restart_allowed": False,
    "binaries_method": "packages",
    "replication_user": "hawq_mirroring",
    "view_databases": [],
    "wal_keep_megabytes": 10240,
    "tablespace_mapping": {},
    "fence_command": None,
    "master_is_down": False,
    "accept_data_loss": False,
    "resync_route": None,
    "divergence": None,
    "failed_routes": {},
    "witnesses": {},
}
GREENPLUM, HAWQ = table.GREENPLUM_6, table.HAWQ_2
#: an answer of a server that gives no session while it is a standby
MUTE = "the database system is in recovery mode (57M02)"
CLOSED = {"probes.mdw.open": False, "probes.mdw.answers": False}
TIMELINE_2 = {"server.timeline": 2, "server.checkpoint_timeline": 2, "histories": {"2": [[1, "0/3017F88"]]}}
FORMER = {"data_directory.fenced": True, "data_directory.marked_standby": True}


def of(engine: table.Engine, seen: Observation) -> Observation:
    """Return the same host with another engine: of its major version, without what that one does not have."""
    made = change(seen, {"engine": engine.key, "binaries.major": engine.majors[0]})
    server = made["server"]
    if server:
        server["settings"]["version_major"] = engine.majors[0]
        if not engine.keeps_wal_for_standby:
            server["slots"] = []
            server["settings"].update(slots_limit=None, kept_wal_limit_bytes=None)
        if server["standby"] and not engine.queries_on_standby:
            made.update(server=None, server_error=MUTE)
    return made


def pair(engine: table.Engine, mdw: Observation, smdw: Observation) -> dict[str, Observation]:
    return {"mdw": of(engine, mdw), "smdw": of(engine, smdw)}


def bill(verdict: Verdict) -> dict[str, str]:
    """Return why each route is not possible, as the bill says, or the refusal when none is."""
    if verdict.plan:
        return {row["route"]: row["reason"] for row in verdict.plan["bill"]}
    (refusal,) = verdict.refusals
    reasons = refusal.found.partition(" a standby (")[2].rstrip(")")
    return dict(reason.split(": ", 1) for reason in reasons.split("; "))


# sessions on a standby


@pytest.mark.parametrize("engine", [GREENPLUM, HAWQ], ids=lambda engine: engine.key)
def test_a_running_standby_that_gives_no_session_is_a_standby(engine: table.Engine) -> None:
    seen = of(engine, standby())
    assert seen["server"] is None
    assert topology.kind(seen) == topology.STANDBY
    assert topology.describe(seen) == "a running standby"
    assert (topology.timeline(seen), topology.system_identifier(seen)) == (1, standby()["control"]["system_identifier"])


def test_a_standby_that_gives_no_session_is_one_by_its_mark_and_its_data() -> None:
    mute = change(standby(), {"server": None, "server_error": MUTE})
    assert topology.kind(mute) == topology.STANDBY
    for doubt in ({"data_directory.marked_standby": False}, {"control.as_master": True}, {"control": None}):
        assert topology.kind(change(mute, doubt)) == topology.SILENT


def test_a_server_without_the_mark_of_a_standby_is_silent_with_any_engine() -> None:
    seen = change(of(GREENPLUM, standby()), {"data_directory.marked_standby": False})
    assert topology.kind(seen) == topology.SILENT


def test_the_state_of_a_pair_without_sessions_on_the_standby() -> None:
    document = cases.state(pair(GREENPLUM, mirrored(), standby()))
    assert (document["standby"], document["standby_state"]) == ("smdw", "Standby host passive")
    assert (document["problems"], document["notes"], document["healthy"]) == ([], [], True)
    assert document["mirroring"]["lag_bytes"] == 0
    (row,) = document["rewind"]
    assert row["possible"]


def test_a_swap_without_sessions_on_the_standby_is_judged_by_what_its_master_knows() -> None:
    plan, refusals = switchover.judge(pair(GREENPLUM, mirrored(), standby()), HOSTS, OPTIONS)
    assert refusals == []
    assert (plan["old"], plan["new"], plan["slots"]) == ("mdw", "smdw", ["hawq_mirroring_mdw"])
    behind = pair(GREENPLUM, mirrored("mdw", {"server.current_lsn": "0/9017F88"}), standby())
    assert [refusal.kind for refusal in switchover.judge(behind, HOSTS, OPTIONS).refusals] == ["lagging"]


@pytest.mark.parametrize("engine", [GREENPLUM, HAWQ], ids=lambda engine: engine.key)
def test_a_failover_to_a_standby_that_gives_no_session(engine: table.Engine) -> None:
    plan, refusals = failover.judge(pair(engine, stopped("mdw"), standby()), HOSTS, OPTIONS)
    assert refusals == []
    assert (plan["old"], plan["new"], plan["start"]) == ("mdw", "smdw", False)
    # by its data, since its files were not read
    assert (plan["standing"]["after"], plan["standing"]["have"]) == ("0/3017F88", "0/3017F88")


def test_what_a_standby_without_a_session_lacks_is_told_by_its_data() -> None:
    told = {"control.min_recovery_lsn": "0/3000000", **CLOSED}
    witness = {"master": "mdw", "timeline": 1, "lsn": "0/3017F88", "summary_state": "Synchronized", "at": 0.0}
    witness["system_identifier"] = None
    hosts = {"mdw": unreachable(), "smdw": change(of(GREENPLUM, standby()), told)}
    options = {
        **OPTIONS,
        "master_is_down": True,
        "witnesses": {"sdw1": empty("sdw1", {"witness": witness, "probes": {}})},
    }
    (refusal,) = failover.judge(hosts, HOSTS, options).refusals
    assert refusal.kind == "data-missing"


def test_a_third_standby_that_gives_no_session_may_be_ahead() -> None:
    hosts = {"mdw": unreachable(), **{name: of(GREENPLUM, standby(name, CLOSED)) for name in ("smdw", "sdw1")}}
    verdict = failover.judge(hosts, HOSTS, {**OPTIONS, "master_is_down": True, "standby_host": "smdw"})
    assert [refusal.kind for refusal in verdict.refusals] == ["not-compared"]


def test_a_synchronised_standby_that_gives_no_session_has_nothing_to_resynchronise() -> None:
    plan, refusals = resync.judge(pair(GREENPLUM, mirrored(), standby()), HOSTS, OPTIONS)
    assert (plan["route"], plan["steps"]["stop"], plan["resume"], refusals) == ("none", [], False, [])


def test_a_standby_that_gives_no_session_is_left_as_it_is_by_init_standby() -> None:
    plan, refusals = init_standby.judge(pair(GREENPLUM, mirrored(), standby()), HOSTS, OPTIONS)
    assert (plan["snapshot"], refusals) == (False, [])


# rewind and comparison


@pytest.mark.parametrize(
    ("engine", "rewinds"),
    [(table.POSTGRESQL, True), (GREENPLUM, True), (HAWQ, False)],
    ids=["PostgreSQL", "Greenplum", "HAWQ"],
)
def test_a_rewind_is_offered_where_there_is_one(engine: table.Engine, rewinds: bool) -> None:
    source = mirrored("mdw", TIMELINE_2)
    seen = stopped("smdw", FORMER)
    hosts = pair(engine, source, seen)
    reason = bill(resync.judge(hosts, HOSTS, OPTIONS))["rewind"]
    assert (reason == "") == rewinds
    assert reason == rewinding.why_not(hosts["smdw"], hosts["mdw"])
    assert rewinds or reason == "HAWQ has no means of rewinding"
    (row,) = cases.state(hosts)["rewind"]
    assert row["possible"] == rewinds


@pytest.mark.parametrize(
    ("engine", "compares"),
    [(table.POSTGRESQL, True), (GREENPLUM, False), (HAWQ, False)],
    ids=["PostgreSQL", "Greenplum", "HAWQ"],
)
def test_a_comparison_is_offered_where_there_is_one(engine: table.Engine, compares: bool) -> None:
    hosts = pair(engine, mirrored("mdw", TIMELINE_2), stopped("smdw", FORMER))
    reason = bill(resync.judge(hosts, HOSTS, OPTIONS))["delta"]
    assert (reason == "") == compares
    assert compares or "no means of comparing" in reason


def test_without_timelines_a_fenced_former_master_is_not_just_started() -> None:
    seen = stopped_standby("smdw", {"data_directory.fenced": True})
    reasons = bill(resync.judge(pair(HAWQ, mirrored(), seen), HOSTS, OPTIONS))
    assert reasons["start"] == "it was a master"


# slots and WAL that is kept


def test_without_slots_none_is_asked_for() -> None:
    source = mirrored("mdw", {"server.settings.kept_wal_limit_bytes": None})
    plan, refusals = init_standby.judge(pair(HAWQ, source, standby()), HOSTS, OPTIONS)
    assert refusals == []
    assert (plan["settings"], plan["restart_settings"], plan["steps"]["source"]) == ({}, {}, [])
    assert members.is_source("mdw", of(HAWQ, source), ["smdw"], "hawq_mirroring_smdw")


def test_without_slots_the_sender_is_known_by_its_name() -> None:
    source = of(HAWQ, mirrored())
    assert topology.streams(source, "hawq_mirroring_smdw")
    assert not topology.streams(source, "hawq_mirroring_sdw1")


def test_without_slots_no_plan_names_any() -> None:
    hosts = pair(HAWQ, mirrored(), standby())
    assert switchover.judge(hosts, HOSTS, OPTIONS).plan["slots"] == []
    assert failover.judge(pair(HAWQ, stopped("mdw"), standby()), HOSTS, OPTIONS).plan["slots"] == []


def test_no_hints_are_asked_for_where_there_is_no_rewind() -> None:
    bare = set_to(data_checksums="off")
    plan, _refusals = init_standby.judge(pair(HAWQ, mirrored("mdw", bare), standby()), HOSTS, OPTIONS)
    assert plan["restart_settings"] == {}
    plan, refusals = init_standby.judge(pair(GREENPLUM, mirrored("mdw", bare), standby()), HOSTS, OPTIONS)
    assert "wal_log_hints = on" in refusals[0].found
    assert [refusal.kind for refusal in refusals] == ["restart-needed"]


# copies of a working master


def test_a_copy_of_a_working_master_is_refused_where_there_is_none() -> None:
    (refusal,) = init_standby.judge(pair(HAWQ, master(), empty()), HOSTS, OPTIONS).refusals
    assert refusal.kind == "snapshot-not-online"
    assert "only be copied with the master stopped" in refusal.why
    assert "hawq init standby" in refusal.command


def test_a_resynchronisation_that_is_left_with_a_copy_says_the_same() -> None:
    verdict = resync.judge(pair(HAWQ, mirrored(), stopped("smdw", FORMER)), HOSTS, OPTIONS)
    assert "only be copied with the master stopped" in bill(verdict)["snapshot"]
    assert [refusal.kind for refusal in verdict.refusals] == ["snapshot-not-online"]


def test_greenplum_is_copied_while_it_works() -> None:
    plan, refusals = init_standby.judge(pair(GREENPLUM, master(), empty()), HOSTS, OPTIONS)
    assert (plan["snapshot"], plan["engine"], refusals) == (True, "greenplum6", [])


def test_an_engine_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        table.of({"engine": "oracle"})
