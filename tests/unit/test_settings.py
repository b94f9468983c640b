# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings that a standby gets beside its master's, and what it may not have less of."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.table import POSTGRESQL
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import settings
from observations import (
    Observation,
    change,
    crashed,
    empty,
    master,
    mirrored,
    mute,
    set_to,
    standby,
    stopped_standby,
    unreachable,
)


def test_a_recovery_target_does_not_reach_the_standby() -> None:
    source = master("mdw", set_to(recovery_target="immediate"))
    assert settings.standby_overrides(source, 5432, [], "smdw")["recovery_target"] == ""


#: neither what the master has reaches its standby, nor what a former master's own configuration has (70)
INHERITED = ("archive_cleanup_command", "recovery_end_command", "restore_command", "recovery_target_time")


def test_no_command_or_end_of_a_recovery_is_inherited() -> None:
    source = master("mdw", set_to(**{name: "x" for name in POSTGRESQL.standby_settings if "trigger" not in name}))
    told = settings.standby_overrides(source, 5432, [], "smdw")
    assert {told[name] for name in INHERITED} == {""}
    assert (told["hot_standby"], told["recovery_min_apply_delay"]) == ("on", "0")
    assert "promote_trigger_file" not in told  # the server here does not have it, and would not start with it


def test_an_archive_is_used_when_it_is_named() -> None:
    told = settings.standby_overrides(master(), 5432, [], "smdw", "cp /archive/%f %p")
    assert told["restore_command"] == "cp /archive/%f %p"
    seen = standby("smdw", set_to(restore_command="cp /archive/%f %p"))
    assert settings.harmful(seen) == {"restore_command": ""}
    assert settings.harmful(seen, "cp /archive/%f %p") == {}
    assert settings.harmful(seen, "cp /other/%f %p") == {"restore_command": "cp /other/%f %p"}
    assert settings.harmful(standby("smdw"), "cp /archive/%f %p") == {"restore_command": "cp /archive/%f %p"}


#: the standby has come to WAL of a master that had 200
RAISED = {"control.at_least": {"max_connections": 200, "max_worker_processes": 8}}
#: what a start of its server would give it, where no session tells
ASKED = {"configuration.at_least": {"max_connections": "100", "max_worker_processes": "8"}}
MUTE = {"server": None, "server_error": "no session: too many clients"}
ENOUGH = set_to(max_connections="200")
WANTED: dict[str, tuple[Observation, list[Observation], dict[str, str]]] = {
    "as its master": (standby(), [], {}),
    "less than its master had": (standby("smdw", RAISED), [], {"max_connections": "200"}),
    "less of two": (
        standby("smdw", {"control.at_least": {"max_connections": 200, "max_wal_senders": 20}}),
        [],
        {"max_connections": "200", "max_wal_senders": "20"},
    ),
    "more than its master had": (standby("smdw", set_to(max_connections="300")), [], {}),
    "the same as the master, which had less before": (standby("smdw", {**RAISED, **ENOUGH}), [], {}),
    "no session": (change(standby("smdw", {**RAISED, **ASKED}), MUTE), [], {"max_connections": "200"}),
    "no session, and what it has is not known": (change(standby("smdw", RAISED), MUTE), [], {}),
    "stopped": (stopped_standby("smdw", {**RAISED, **ASKED}), [], {"max_connections": "200"}),
    "the WAL of that is not there yet, and its master is alive": (
        standby(),
        [master("mdw", ENOUGH)],
        {"max_connections": "200"},
    ),
    "the WAL of that is not there yet, and its master has crashed": (
        standby(),
        [crashed(RAISED)],
        {"max_connections": "200"},
    ),
    "its master is off": (standby("smdw", RAISED), [unreachable()], {"max_connections": "200"}),
    "no control file": (stopped_standby("smdw", {"control": None, **ASKED}), [], {}),
    "no data": (empty(), [master()], {}),
    "off": (unreachable(), [master()], {}),
}


@pytest.mark.parametrize(("seen", "sources", "wanted"), WANTED.values(), ids=WANTED)
def test_what_it_must_be_given(seen: Observation, sources: list[t.Any], wanted: dict[str, str]) -> None:
    assert settings.recovery_wanted(t.cast(t.Any, seen), *sources) == wanted


def _delayed(**harmful: str) -> Observation:
    return change(standby("smdw"), {"server.settings.harmful": harmful})


HARMFUL: dict[str, tuple[t.Any, dict[str, str]]] = {
    "nothing": (standby("smdw"), {}),
    "replay is delayed": (_delayed(recovery_min_apply_delay="0"), {"recovery_min_apply_delay": "0"}),
    "an end of the recovery is set": (_delayed(recovery_target_time=""), {"recovery_target_time": ""}),
    "it keeps to its timeline": (
        _delayed(recovery_target_timeline="latest"),
        {"recovery_target_timeline": "latest"},
    ),
    "no session": (change(_delayed(recovery_min_apply_delay="0"), MUTE), {}),
    "off": (unreachable(), {}),
}


@pytest.mark.parametrize(("seen", "wanted"), HARMFUL.values(), ids=HARMFUL)
def test_what_would_delay_or_end_its_recovery(seen: t.Any, wanted: dict[str, str]) -> None:
    assert settings.harmful(seen) == wanted
    assert settings.standby_wanted(seen, "") == wanted


def test_what_is_harmful_is_given_with_what_is_too_small() -> None:
    seen = change(_delayed(recovery_min_apply_delay="0"), RAISED)
    assert settings.standby_wanted(t.cast(t.Any, seen), "") == {
        "max_connections": "200",
        "recovery_min_apply_delay": "0",
    }


def test_hot_standby_is_off_and_nobody_can_ask() -> None:
    """Its files tell, and a restart alone would not help: a resynchronisation sets it and starts the server again."""
    mdw, smdw = mirrored(), mute("smdw", {"configuration.harmful": {"hot_standby": "on"}})
    plan = cases.resync({"mdw": mdw, "smdw": smdw}, {}).plan
    assert (plan["route"], plan["recovery_settings"], plan["steps"]["settings"]) == (
        "start",
        {"hot_standby": "on"},
        ["smdw"],
    )
    told = {row["kind"]: row["command"] for row in cases.state({"mdw": mdw, "smdw": smdw})["problems"]}
    assert {kind for kind, command in told.items() if "resync_standby" in command} >= {"no-session", "settings-harmful"}
