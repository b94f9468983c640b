# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What several files of tests share: groups of hosts, their judgement with every option's default, tables, reports."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import removal as removal_judge
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import renamed
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import judge as failover_judge
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Refusal, Verdict
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import judge as resync_judge
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync.case import Case
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.state import judge as state_judge
from ansible_collections.hawq.mirroring.plugins.module_utils.values import lsn
from ansible_collections.hawq.mirroring.plugins.module_utils.values.history import Fork, Stretch
from observations import (
    CLOSED,
    FILES,
    HOSTS,
    SLOT,
    Observation,
    empty,
    frozen,
    master,
    mirrored,
    mute,
    silent,
    slot,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

Hosts = dict[str, Observation]
Options = dict[str, t.Any]
#: of each refusal: what it says of what was found, and a word of the command that goes on
Refusals = list[tuple[str, str]]

#: those of init_standby, with their defaults
INIT_STANDBY: Options = {
    "standby_host": None,
    "existing_data": "refuse",
    "replace_standby": False,
    "additional_standby": False,
    "master_restart_allowed": False,
    "binaries_method": "packages",
    "replication_user": "hawq_mirroring",
    "view_databases": [],
    "wal_keep_megabytes": 10240,
    "tablespace_mapping": {},
    "accept_data_loss": False,
}


def rows(table: dict[str, t.Any]) -> t.Any:
    """Return the cases of a table as pytest wants them; one that has a single value need be no tuple."""
    return [pytest.param(*(row if isinstance(row, tuple) else (row,)), id=name) for name, row in table.items()]


def assert_refused(refusals: list[Refusal], expected: Refusals) -> None:
    """Assert that there are these refusals: of each its kind, and a word of the command that goes on."""
    assert [refusal.kind for refusal in refusals] == [kind for kind, _word in expected]
    for refusal, (_kind, word) in zip(refusals, expected):
        assert word in refusal.command, refusal.sentence()
        assert refusal.found
        assert refusal.why


#: a host of each kind, by its name
EVERY_KIND: dict[str, t.Callable[[str], Observation]] = {
    "master": master,
    "standby": standby,
    "mute standby": mute,
    "stopped standby": stopped_standby,
    "stopped": stopped,
    "silent": silent,
    "frozen": lambda name: frozen(master(name)),
    "empty": empty,
    "other": lambda name: empty(name, FILES),
    "unreachable": lambda name: unreachable(),
}


def master_of_the_other(name: str) -> Observation:
    """Return a master of a pair, whose standby the other host is."""
    return mirrored(name, {"server.standbys": ["smdw" if name == "mdw" else "mdw"]})


def three(**hosts: Observation) -> Hosts:
    """Return a master and two hosts that have nothing, or what is given."""
    return {"mdw": master(), "smdw": empty("smdw"), "sdw1": empty("sdw1"), **hosts}


#: every way of mixing two masters into three hosts
TWO_MASTERS: dict[str, Hosts] = {
    f"{one} and {other}": three(**{one: master(one), other: master(other)}, **{third: empty(third)})
    for one, other, third in (("mdw", "smdw", "sdw1"), ("mdw", "sdw1", "smdw"), ("smdw", "sdw1", "mdw"))
}


def _with_defaults(options: Options, defaults: Options) -> Options:
    assert set(options) <= set(defaults)
    return {**defaults, **options}


def failover(hosts: Hosts, options: Options) -> Verdict:
    """Judge a failover."""
    defaults: Options = {
        "standby_host": None,
        "master_is_down": False,
        "fence_command": None,
        "accept_data_loss": False,
        "ignore_witness": [],
        "other_slots": "refuse",
        "witnesses": {},
        "check": False,
    }
    return failover_judge.judge(hosts, HOSTS, _with_defaults(options, defaults))


def removal(hosts: Hosts, options: Options) -> Verdict:
    """Judge the removal of a standby."""
    defaults: Options = {"standby_host": None, "existing_data": "refuse", "replication_user": "hawq_mirroring"}
    defaults["accept_data_loss"] = False
    defaults["all_goes"] = False
    return removal_judge.judge(hosts, HOSTS, _with_defaults(options, defaults))


RESYNC_DEFAULTS: Options = {
    "standby_host": None,
    "existing_data": "refuse",
    "master_restart_allowed": False,
    "binaries_method": "packages",
    "replication_user": "hawq_mirroring",
    "view_databases": [],
    "wal_keep_megabytes": 10240,
    "tablespace_mapping": {},
    "resync_route": None,
    "accept_data_loss": False,
    "divergence": None,
    "failed_routes": {},
}


def resync(hosts: Hosts, options: Options) -> Verdict:
    """Judge a resynchronisation."""
    return resync_judge.judge(hosts, HOSTS, _with_defaults(options, RESYNC_DEFAULTS))


def renamed_pair() -> Hosts:
    """Return a healthy pair whose standby the inventory called s2 when it was made."""
    source = mirrored("mdw", {"server.standbys": ["s2"], "server.slots": [{**slot(), "name": "hawq_mirroring_s2"}]})
    source["server"]["senders"][0]["name"] = "s2"
    receiver = {**standby()["server"]["receiver"], "slot": "hawq_mirroring_s2"}
    return {"mdw": source, "smdw": standby("smdw", {"follows_slot": "hawq_mirroring_s2", "server.receiver": receiver})}


def state(hosts: Hosts, options: Options | None = None, settled: str | None = None) -> dict[str, t.Any]:
    """Return the state of a group."""
    defaults: Options = {
        "standby_host": None,
        "master_host": None,
        "fence_command": None,
        "ignore_witness": [],
        "replication_user": "hawq_mirroring",
        "accept_collation_difference": False,
        "state_expect_standby": None,
        "state_accept": [],
        "state_lag_megabytes": 16,
        "programs": {},
        "witnesses": {},
    }
    observations, names = renamed.translated(t.cast("t.Any", hosts))
    told = t.cast("t.Any", {**_with_defaults(options or {}, defaults), "renamed": names})
    return state_judge.document(observations, HOSTS, told, settled)


#: sdw1 cannot be seen from a host
QUIET = {"probes.sdw1.open": False, "probes.sdw1.answers": False}


def segment(name: str = "sdw1", **witness: t.Any) -> dict[str, t.Any]:
    """Return the option of a segment that cannot open the old master's port, and what it remembers."""
    seen = empty(name, CLOSED if name == "sdw1" else {**CLOSED, **QUIET})
    remembered = {
        "master": "mdw",
        "timeline": 1,
        "lsn": "0/3017F88",
        "summary_state": "Synchronized",
        "at": 1795428856.0,
        "age_seconds": None,
        "system_identifier": None,
    }
    return {"witnesses": {name: {**seen, "witness": {**remembered, **witness} if witness else None}}}


FORK = "0/3017F88"
#: mdw was activated: timeline 2 begins at FORK; it keeps WAL for smdw, the master of before
ACTIVATED: dict[str, t.Any] = {
    "histories": {"2": [[1, FORK]]},
    "server.timeline": 2,
    "server.checkpoint_timeline": 2,
    "server.current_lsn": "0/4000000",
    "server.slots": [slot(active=False, active_pid=None)],
    "server.settings.kept_wal_limit_bytes": 10240 << 20,
}


def activated(overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return mdw after its activation, when smdw was the master before."""
    return master("mdw", {**ACTIVATED, **(overrides or {})})


def divergence(**overrides: t.Any) -> dict[str, t.Any]:
    """Return what divergence_info says of a former master."""
    row = {
        "fork_lsn": FORK,
        "end_lsn": FORK,
        "wal_bytes": 0,
        "damage": None,
        "transactions": 0,
        "first_commit": None,
        "last_commit": None,
        "relations": [],
        "whole": True,
        "checkpoint_lsn": None,
        "redo_lsn": None,
        "missing": [],
        "blocks": 0,
    }
    assert set(overrides) <= set(row)
    return {**row, **overrides}


#: what divergence_info says of one that has written on past the fork
DIVERGED = divergence(
    end_lsn="0/3027F88",
    wal_bytes=65536,
    transactions=3,
    first_commit="2026-11-25 10:00:00",
    last_commit="2026-11-25 10:00:02",
    checkpoint_lsn="0/3010000",
    redo_lsn="0/300FFC8",
    blocks=12,
)


#: where the timeline of the former master smdw ends for the activated mdw
PARTED = Fork(1, FORK, [Stretch(1, lsn.parse(FORK), None)])


def case(smdw: Observation, mdw: Observation, **known: t.Any) -> Case:
    """Return what the ways that bring smdw back are judged by; histories are known and do not part unless told so."""
    options = _with_defaults(known.pop("options", {}), RESYNC_DEFAULTS)
    made = Case("smdw", smdw, mdw, SLOT, fork=None, found=None, failed={}, options=options, history_known=True)
    return made._replace(**known)


def unwrapped(text: str) -> str:
    """Return a text with every label and sentence on one line."""
    return re.sub(r"\n {6}(?=\S)", " ", text)


def value(text: str, label: str) -> list[str]:
    """Return the values of a label in a report."""
    pairs = [line.split(" = ", 1) for line in unwrapped(text).splitlines() if " = " in line]
    return [found for name, found in pairs if name.strip() == label]
