# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a pair is guarded, what its guard is told, and what becomes of a setting that is somebody else's."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    guarded,
    init_master,
    init_segments,
    init_standby,
    removal,
    topology,
    uninstall,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import promised
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import judge as resync
from cases import INIT_STANDBY, Hosts
from observations import HOSTS, Observation, change, empty, mirrored, standby, stopped_standby, unreachable
from test_resync import MUTE

HAS = {"views.files": {guarded.FILE: "digest", "hawq_mirroring.control": "digest"}}
SYNCHRONOUS, STRICT = {"mirroring_mode": "synchronous"}, {"mirroring_mode": "strict"}
OURS, BY_HAND = 'ANY 1 ("smdw")', "FIRST 1 (smdw)"
RESYNC = {**INIT_STANDBY, "resync_route": None, "divergence": None, "failed_routes": {}}
REMOVAL = {"standby_host": None, "existing_data": "refuse", "replication_user": "hawq_mirroring"}
SEGMENTS = {"segment_user": "hawq_mirroring_segment", "view_databases": []}


def source(value: str = "", **overrides: t.Any) -> Observation:
    return mirrored("mdw", {"server.settings.synchronous_standbys": value, **overrides})


def pair(value: str = "", seen: Observation | None = None, guards: bool = True) -> Hosts:
    """A synchronised pair that has a guard already, or is asynchronous."""
    hosts = {"mdw": source(value), "smdw": seen or standby()}
    return {name: change(each, HAS) for name, each in hosts.items()} if guards else hosts


def init(hosts: Hosts, **options: t.Any) -> t.Any:
    return init_standby.judge(hosts, HOSTS, {**INIT_STANDBY, **options})


GUARDED: dict[str, tuple[Hosts, dict[str, t.Any], bool]] = {
    "asynchronous, as ever": (pair(guards=False), {}, False),
    "asynchronous, and told so": (pair(guards=False), {"mirroring_mode": "asynchronous"}, False),
    "becomes synchronous": (pair(guards=False), SYNCHRONOUS, True),
    "becomes strict": (pair(guards=False), STRICT, True),
    "was guarded, and goes back": (pair(), {"mirroring_mode": "asynchronous"}, True),
    "one host has it": ({"mdw": source(), "smdw": change(standby(), HAS)}, {}, True),
    "one cannot be looked at": ({"mdw": source(), "smdw": unreachable("smdw")}, {}, False),
}


@pytest.mark.parametrize(("hosts", "options", "expected"), GUARDED.values(), ids=GUARDED)
def test_once_guarded_a_pair_stays_so(hosts: Hosts, options: dict[str, t.Any], expected: bool) -> None:
    assert guarded.is_guarded(hosts, t.cast("t.Any", options)) is expected


def test_an_asynchronous_pair_has_nothing_to_do_with_it() -> None:
    plan = init(pair(guards=False)).plan
    assert plan["guard"] is None
    assert [plan["steps"][name] for name in ("let_go", "guard", "wait")] == [[], [], []]
    plan = resync.judge(pair(guards=False), HOSTS, t.cast("t.Any", RESYNC)).plan
    assert [plan["guard"], *(plan["steps"][name] for name in ("let_go", "guard", "wait"))] == [None, [], [], []]
    plan = init_segments.judge(pair(guards=False), HOSTS, {**SEGMENTS, "witnesses": {"sdw1": empty("sdw1")}}).plan
    assert [plan["guard"], plan["steps"]["witness"], plan["steps"]["guard"]] == [None, [], []]
    plan = removal.judge(pair(guards=False), HOSTS, t.cast("t.Any", REMOVAL)).plan
    assert plan["steps"]["let_go"] == []
    options = t.cast("t.Any", {"remove_standbys": True, "witnesses": {"sdw1": empty("sdw1")}})
    plan = uninstall.judge(pair(guards=False), HOSTS, options).plan
    assert [plan["steps"]["guard"], plan["steps"]["let_go"]] == [[], []]


def test_what_is_not_said_stays_as_the_guard_has_it() -> None:
    """A run without the options must not let commits go on alone."""
    guard = {"mode": "strict", "degrade_after": 2.5, "count": 2, "witnesses": [], "active": True, "unit": "u"}
    hosts = {
        "mdw": mirrored("mdw", {"guard": guard}),
        "smdw": standby("smdw", {"guard": {**guard, "mode": "synchronous"}}),
    }
    found = guarded.resolved(hosts, t.cast("t.Any", {"mirroring_mode": None}))
    assert (found["mirroring_mode"], found["mirroring_degrade_after"]) == ("strict", 2.5)
    assert found["mirroring_synchronous_count"] == 2
    assert (
        guarded.resolved(hosts, t.cast("t.Any", {"mirroring_mode": "asynchronous"}))["mirroring_mode"] == "asynchronous"
    )
    bare = guarded.resolved({"mdw": mirrored("mdw")}, t.cast("t.Any", {}))
    assert [bare[name] for name in guarded.OPTIONS] == ["asynchronous", 5.0, 1]


#: what the master has, what the run is, and the mode of a pair that nobody has said one for
NEW = {"views.databases": [], "server.master_name": None, "server.standbys": []}
BEGUN: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "nothing yet": (NEW, "init_standby", "synchronous"),
    "nothing yet, and its segments come first": (NEW, "init_segments", "synchronous"),
    "nothing but a standby made by hand": (NEW, "resync_standby", "synchronous"),
    "nothing yet, and it is only looked at": (NEW, "state", "asynchronous"),
    "somebody lets commits wait already": (
        {**NEW, "server.settings.synchronous_standbys": BY_HAND},
        "init_standby",
        "asynchronous",
    ),
    "a standby": ({**NEW, "server.standbys": ["smdw"]}, "init_standby", "asynchronous"),
    "a name in the views": ({**NEW, "server.master_name": "mdw"}, "init_standby", "asynchronous"),
    "views, and a standby that was removed": ({**NEW, "views.databases": ["postgres"]}, "init_standby", "asynchronous"),
    "the programs of another pair of this host": ({**NEW, **HAS}, "init_standby", "synchronous"),
}


@pytest.mark.parametrize(("has", "workflow", "expected"), BEGUN.values(), ids=BEGUN)
def test_a_new_pair_is_synchronous_and_what_is_there_stays(has: dict[str, t.Any], workflow: str, expected: str) -> None:
    hosts = {"mdw": mirrored("mdw", has), "smdw": empty("smdw")}
    found = guarded.resolved(hosts, t.cast("t.Any", {}), workflow)
    assert found["mirroring_mode"] == expected
    said = guarded.resolved(hosts, t.cast("t.Any", {"mirroring_mode": "strict"}), workflow)
    assert said["mirroring_mode"] == "strict"


def test_a_first_master_begins_a_pair() -> None:
    nobody = {"mdw": empty("mdw"), "smdw": empty("smdw")}
    options = guarded.resolved(nobody, t.cast("t.Any", {"master_host": "mdw"}), "init_master")
    plan = init_master.judge(nobody, HOSTS, options).plan
    assert (plan["guard"]["mode"], plan["steps"]["mode"]) == ("synchronous", ["mdw"])
    options["mirroring_mode"] = "asynchronous"
    plan = init_master.judge(nobody, HOSTS, options).plan
    assert (plan["guard"], plan["steps"]["mode"]) == (None, [])


def test_a_mode_that_a_killed_run_has_told_is_not_forgotten() -> None:
    """What says another one later is told to the guard, which is there from then on."""
    guard = {"mode": "synchronous", "degrade_after": 5.0, "count": 1, "witnesses": [], "active": False, "unit": "u"}
    hosts = {"mdw": source("", guard={**guard, "files": {}}), "smdw": empty("smdw")}
    plan = init(hosts, mirroring_mode="asynchronous").plan
    assert (plan["guard"]["mode"], plan["steps"]["mode"]) == ("asynchronous", ["mdw"])
    assert not promised.is_held(hosts["mdw"])


def test_a_witness_of_another_system_is_not_overwritten() -> None:
    record = {"record": {"system": "77"}, "why": None, "stopped": None}
    hosts = {"sdw1": empty("sdw1", {"ledger": record})}
    options = t.cast("t.Any", {**SEGMENTS, **SYNCHRONOUS, "witnesses": hosts})
    assert [row.kind for row in init_segments.judge(pair(), HOSTS, options).refusals] == ["witness-taken"]
    hosts["sdw1"] = empty("sdw1", {"ledger": {**record, "stopped": "u"}})
    assert init_segments.judge(pair(), HOSTS, options).refusals == []


def test_the_mode_is_told_before_there_is_a_pair() -> None:
    assert init({"mdw": source(), "smdw": empty("smdw")}, **SYNCHRONOUS).plan["steps"]["mode"] == ["mdw"]
    guard = {"mode": "synchronous", "degrade_after": 5.0, "count": 1, "witnesses": [], "active": False, "unit": "u"}
    told = {"mdw": source("", guard=guard), "smdw": empty("smdw")}
    assert init(told, **SYNCHRONOUS).plan["steps"]["mode"] == []


def test_who_only_bears_witness_does_not_register() -> None:
    witnesses = {"sdw1": empty("sdw1"), "jump": change(empty("sdw2"), {"user.exists": False})}
    options = {**SEGMENTS, **SYNCHRONOUS, "witnesses": witnesses, "only_witnesses": ["jump"]}
    plan = init_segments.judge(pair(), HOSTS, t.cast("t.Any", options)).plan
    assert (plan["segments"], plan["guard"]["witnesses"]) == (["sdw1"], ["jump", "sdw1"])
    steps = {name: plan["steps"][name] for name in ("register", "bystand", "witness")}
    assert steps == {"register": ["sdw1"], "bystand": ["jump"], "witness": ["sdw1", "jump"]}
    alone = {**options, "witnesses": {"jump": witnesses["jump"]}}
    assert init_segments.judge(pair(), HOSTS, t.cast("t.Any", alone)).plan["steps"]["confirm"] == []
    alone["mirroring_mode"] = "asynchronous"
    (refusal,) = init_segments.judge(pair(guards=False), HOSTS, t.cast("t.Any", alone)).refusals
    assert (refusal.kind, "mirroring_mode=synchronous" in refusal.command) == ("no-segments", True)


def test_both_hosts_get_the_guard_and_every_segment_is_named() -> None:
    witnesses = {name: empty(name) for name in ("sdw2", "sdw1")}
    plan = init(
        pair(guards=False),
        **SYNCHRONOUS,
        mirroring_degrade_after=2.5,
        mirroring_synchronous_count=2,
        witnesses=witnesses,
    ).plan
    assert plan["guard"] == {"mode": "synchronous", "degrade_after": 2.5, "count": 2, "witnesses": ["sdw1", "sdw2"]}
    assert (plan["steps"]["guard"], plan["steps"]["wait"]) == (["mdw", "smdw"], ["mdw"])
    assert plan["let_go_seconds"] == 13
    plan = init_segments.judge(
        pair(),
        HOSTS,
        t.cast("t.Any", {**SEGMENTS, **SYNCHRONOUS, "witnesses": {"sdw1": empty("sdw1"), "sdw2": unreachable("sdw2")}}),
    ).plan
    assert plan["guard"]["witnesses"] == ["sdw1", "sdw2"]
    assert (plan["steps"]["witness"], plan["steps"]["guard"]) == (["sdw1"], ["mdw", "smdw"])
    assert plan["system_identifier"] == topology.system_identifier(pair()["mdw"])


#: what is set, whether the pair is guarded already, the mode, and whether that is refused
SETTINGS: dict[str, tuple[str, bool, dict[str, t.Any], bool]] = {
    "nothing": ("", False, SYNCHRONOUS, False),
    "by hand": (BY_HAND, False, SYNCHRONOUS, True),
    "by hand, of a pair that is guarded": (BY_HAND, True, SYNCHRONOUS, True),
    "by hand, and the mode stays asynchronous": (BY_HAND, False, {}, False),
    "by hand, and the mode is asynchronous again": (BY_HAND, True, {}, False),
    "the guard's": (OURS, True, SYNCHRONOUS, False),
    "the guard's, of one that is gone": ('ANY 1 ("other", "smdw")', True, SYNCHRONOUS, False),
    "the guard's, while nobody is there": (f'ANY 1 ("{guarded.NOBODY}")', True, STRICT, False),
    "as the guard writes it, by hand": (OURS, False, SYNCHRONOUS, False),
    "as the guard writes it, for somebody else's": ('ANY 1 ("other")', False, SYNCHRONOUS, True),
    "all": ("*", False, STRICT, True),
}


@pytest.mark.parametrize(("value", "guards", "mode", "is_refused"), SETTINGS.values(), ids=SETTINGS)
def test_what_somebody_else_has_set_is_never_broken(
    value: str, guards: bool, mode: dict[str, t.Any], is_refused: bool
) -> None:
    hosts = pair(value, guards=guards)
    kinds = [refusal.kind for refusal in init(hosts, **mode).refusals]
    assert kinds == (["synchronous-foreign"] if is_refused else [])
    told = {**SEGMENTS, **mode, "witnesses": {"sdw1": empty("sdw1")}}
    found = init_segments.judge(hosts, HOSTS, t.cast("t.Any", told)).refusals
    assert [refusal.kind for refusal in found] == kinds
    if is_refused:
        assert "synchronous_standby_names = ''" in found[0].command


#: what is set, the further standbys, the mode, and who is told: the guard, or the server itself
RELEASES: dict[str, tuple[str, bool, list[str], list[str]]] = {
    "the guard's": (OURS, True, ["mdw"], []),
    "the guard goes on alone": ("", True, ["mdw"], []),
    "by hand, though there is a guard": (BY_HAND, True, ["mdw"], ["mdw"]),
    "no guard": (BY_HAND, False, [], ["mdw"]),
    "no guard, and nothing": ("", False, [], []),
}


@pytest.mark.parametrize(("value", "guards", "let_go", "release"), RELEASES.values(), ids=RELEASES)
def test_who_is_told_that_a_standby_is_removed(value: str, guards: bool, let_go: list[str], release: list[str]) -> None:
    plan = removal.judge(pair(value, guards=guards), HOSTS, t.cast("t.Any", REMOVAL)).plan
    assert (plan["steps"]["let_go"], plan["steps"]["release"]) == (let_go, release)
    assert plan["let_go_seconds"] == 15


def test_the_last_standby_of_a_strict_master_stays() -> None:
    options = t.cast("t.Any", {**REMOVAL, **STRICT})
    (refusal,) = removal.judge(pair(OURS), HOSTS, options).refusals
    assert refusal.kind == "never-alone"
    assert "init_standby -e standby_host=smdw -e mirroring_mode=synchronous" in refusal.command
    assert removal.judge(pair(OURS, guards=False), HOSTS, options).refusals == []
    hosts = pair(OURS)
    hosts["mdw"]["server"]["standbys"] = ["sdw1", "smdw"]
    assert removal.judge(hosts, HOSTS, t.cast("t.Any", {**options, "standby_host": "smdw"})).refusals == []


def test_a_standby_that_is_stopped_is_told_of_first() -> None:
    options = t.cast("t.Any", {**RESYNC, **SYNCHRONOUS})
    found = resync.judge(pair(OURS, standby("smdw", MUTE)), HOSTS, options)
    assert (found.plan["steps"]["stop"], found.plan["steps"]["let_go"]) == (["smdw"], ["mdw"])
    strict = t.cast("t.Any", {**options, **STRICT})
    assert resync.judge(pair(OURS, standby("smdw", MUTE)), HOSTS, strict).plan["steps"]["let_go"] == []
    away = pair(OURS, stopped_standby())
    away["mdw"]["server"]["senders"] = []
    assert resync.judge(away, HOSTS, t.cast("t.Any", {**RESYNC, **SYNCHRONOUS})).plan["steps"]["let_go"] == []


def test_uninstalling_takes_it_away_and_empties_what_is_its_own() -> None:
    options = t.cast("t.Any", {"remove_standbys": True, "witnesses": {"sdw1": empty("sdw1")}})
    steps = uninstall.judge(pair(OURS), HOSTS, options).plan["steps"]
    assert (steps["guard"], steps["witness"], steps["let_go"]) == (["mdw", "smdw"], ["sdw1"], ["mdw"])
    # what reports to a master of another cluster stays on a host that only bears witness here
    assert uninstall.judge(pair(), HOSTS, {**options, "only_witnesses": ["sdw1"]}).plan["steps"]["segments"] == []
    # one that was away when the rest went
    left = {"sdw1": empty("sdw1", {"ledger": {"record": None, "why": "", "stopped": None}})}
    steps = uninstall.judge(pair(guards=False), HOSTS, {**options, "witnesses": left}).plan["steps"]
    assert (steps["guard"], steps["witness"]) == ([], ["sdw1"])
    assert uninstall.judge(pair(BY_HAND), HOSTS, options).plan["steps"]["let_go"] == []
