# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings that a standby gets beside its master's, and what it may not have less of."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import settings
from observations import (
    Observation,
    change,
    crashed,
    empty,
    master,
    set_to,
    standby,
    stopped_standby,
    unreachable,
)


def test_a_recovery_target_does_not_reach_the_standby() -> None:
    source = master("mdw", set_to(recovery_target="immediate"))
    assert settings.standby_overrides(source, 5432, [], "smdw") == {"recovery_target": ""}


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
    assert settings.standby_wanted(seen) == wanted


def test_what_is_harmful_is_given_with_what_is_too_small() -> None:
    seen = change(_delayed(recovery_min_apply_delay="0"), RAISED)
    assert settings.standby_wanted(t.cast(t.Any, seen)) == {"max_connections": "200", "recovery_min_apply_delay": "0"}
