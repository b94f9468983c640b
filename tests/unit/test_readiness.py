# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would come of each fault, asked beforehand, and the faults themselves: what would be seen then."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import hypothetical, readiness, synchronous, topology
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import evidence
from ansible_collections.hawq.mirroring.plugins.module_utils.values import shape
from ansible_collections.hawq.mirroring.plugins.module_utils.values.observation import Observation as Shape
from host_needs import have, needing
from observations import (
    HOSTS,
    SLOT,
    Observation,
    change,
    empty,
    mirrored,
    place,
    sender,
    set_to,
    slot,
    standby,
    stopped_standby,
    unreachable,
)

Hosts = dict[str, Observation]
SERVER, SILENT, LOST, SWITCH = "server dies", "host goes silent", "host is lost", "switchover"
CASES = (SERVER, SILENT, LOST, SWITCH)
WORKS, MAY_LOSE, REFUSED = "works", "may lose", "refused"
RESYNC = "ansible-playbook hawq.mirroring.resync_standby"
SYNCHRONOUS = set_to(synchronous_standby_names="smdw", max_slot_wal_keep_size="10240")
NOT_CONNECTED = {
    "server.mirroring": {
        "summary_state": "Not Synchronized",
        "detail_state": "Connection error",
        "since": None,
        "error_message": None,
    },
    "server.senders": [],
    "server.slots": [slot(active=False, active_pid=None)],
}
BLOCKED = {
    "server.replay_blocked": True,
    "server.blockers": [{"pid": 4712, "user": "anna", "name": "report", "open_seconds": 61.4}],
}
FURTHER = {
    "server.standbys": ["sdw1", "smdw"],
    "server.slots": [slot(), slot("hawq_mirroring_sdw1", active_pid=4712)],
    "server.senders": [sender(), sender(4712, "sdw1")],
}


def pair(smdw: dict[str, t.Any] | None = None, mdw: dict[str, t.Any] | None = None) -> Hosts:
    """Return a pair in which all is well but for this."""
    return {"mdw": mirrored("mdw", mdw), "smdw": standby("smdw", smdw)}


#: the outcome of each case in the order of CASES, and the kinds of problems that there are
GONE = {
    "setting": "hba_file",
    "path": "/data/hawq/master/pg_hba.conf",
    "wanted": "read",
    "starts": True,
    "trouble": "missing",
}
READINESS: dict[str, tuple[Hosts, tuple[str, str, str, str], list[str]]] = {
    "all is well": (pair(), (WORKS, WORKS, MAY_LOSE, WORKS), []),
    "commits wait for the standby": (pair(None, SYNCHRONOUS), (WORKS, WORKS, WORKS, WORKS), []),
    "32 MB are not received yet": (
        pair(None, {"server.current_lsn": "0/5017F88"}),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["lagging"],
    ),
    "a fence is left on the standby": (
        pair({"data_directory.fenced": True, "data_directory.fence_timeline": 1}),
        (REFUSED, REFUSED, REFUSED, WORKS),
        ["fenced"],
    ),
    "the standby's user may not write its WAL": (
        pair({"data_directory.closed": "/data/hawq/master/pg_wal"}),
        (REFUSED, REFUSED, REFUSED, REFUSED),
        ["data-closed"],
    ),
    "the standby's mark is gone": (
        pair({"data_directory.marked_standby": False}),
        (WORKS, WORKS, MAY_LOSE, WORKS),
        ["mark-missing"],
    ),
    "replay is paused": (
        pair({"server.replay_paused": True}),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["replay-paused"],
    ),
    "the standby follows another address": (
        pair({"follows.host": "198.51.100.9"}),
        (REFUSED, REFUSED, REFUSED, WORKS),
        ["follows-elsewhere"],
    ),
    "the standby is another system": (
        pair({"server.system_identifier": "7711308232729292413"}),
        (REFUSED, WORKS, MAY_LOSE, WORKS),
        ["failover-refused"],
    ),
    "the standby's server is stopped": (
        {"mdw": mirrored("mdw", NOT_CONNECTED), "smdw": stopped_standby()},
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["not-synchronized"],
    ),
    "the standby's host is off": (
        {"mdw": mirrored("mdw", NOT_CONNECTED), "smdw": unreachable()},
        (REFUSED, REFUSED, REFUSED, REFUSED),
        ["not-synchronized"],
    ),
    "the standby's directory is empty": (
        {"mdw": mirrored("mdw", NOT_CONNECTED), "smdw": empty()},
        (REFUSED, REFUSED, REFUSED, REFUSED),
        ["not-synchronized"],
    ),
    "a base backup is taken": (
        pair(None, {"server.senders": [sender(), sender(4712, "backup", copying=True, streaming=False)]}),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["switchover-refused"],
    ),
    "the passwords are not in order": (
        pair({"credentials.private": False}),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["switchover-refused"],
    ),
    "the standby's host lacks a library": (
        needing(have(library={"postgis-3": False})),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["library-missing"],
    ),
    "the standby's host lacks a locale": (
        needing(have(locale={"de_DE.UTF-8": False})),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["locale-missing"],
    ),
    "a file that the standby's configuration names has vanished": (
        pair({"named": [GONE]}),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["named-place"],
    ),
    "a library that the master has loaded has vanished": (
        needing(have(), have(library={"pg_stat_statements": False})),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["library-missing"],
    ),
    "the standby's host sorts texts otherwise": (
        needing(have(libc="2.28")),
        (WORKS, WORKS, MAY_LOSE, REFUSED),
        ["collation-difference"],
    ),
}


def answers(hosts: Hosts) -> dict[str, t.Any]:
    """Return what would come of each case."""
    return {row["case"]: row for row in cases.state(hosts)["readiness"]}


@pytest.mark.parametrize(("hosts", "outcomes", "kinds"), READINESS.values(), ids=READINESS)
def test_what_would_come_of_it(hosts: Hosts, outcomes: tuple[str, ...], kinds: list[str]) -> None:
    document = cases.state(hosts)
    assert tuple(row["case"] for row in document["readiness"]) == CASES
    assert tuple(row["outcome"] for row in document["readiness"]) == outcomes
    assert [row["kind"] for row in document["problems"]] == kinds
    for row in document["readiness"]:
        assert bool(row["kinds"]) == bool(row["mend"]) == (row["outcome"] == REFUSED) == (row["new"] is None)
        assert shape.misfits(row, readiness.Answer) == []


@pytest.mark.parametrize("name", [name for name, row in READINESS.items() if REFUSED in row[1]])
def test_a_problem_names_what_mends_it(name: str) -> None:
    document = cases.state(READINESS[name][0])
    commands = [row["command"] for row in document["problems"]]
    for row in document["readiness"]:
        assert row["mend"] is None or any(row["mend"] in command for command in commands)


MENDS = {
    "a fence is left on the standby": (SERVER, RESYNC),
    "the standby's host is off": (SILENT, f"switch smdw on, then: {RESYNC}"),
    "a base backup is taken": (SWITCH, "wait, then look again: ansible-playbook hawq.mirroring.state"),
    "the passwords are not in order": (SWITCH, RESYNC),
    "the standby is another system": (
        SERVER,
        "ansible-playbook hawq.mirroring.init_standby -e existing_data=keep",
    ),
}


@pytest.mark.parametrize(("name", "expected"), MENDS.items(), ids=MENDS)
def test_it_is_mended_now_and_not_in_that_night(name: str, expected: tuple[str, str]) -> None:
    case, command = expected
    assert answers(READINESS[name][0])[case]["mend"] == command


def test_what_to_type_then() -> None:
    found = answers(pair())
    failover = "ansible-playbook hawq.mirroring.failover"
    assert [found[case]["command"] for case in CASES] == [
        failover,
        f"{failover} -e master_is_down=true",
        f"{failover} -e master_is_down=true",
        "ansible-playbook hawq.mirroring.switchover",
    ]


def test_one_of_several_standbys_is_enough() -> None:
    hosts = {
        "mdw": mirrored("mdw", FURTHER),
        "smdw": standby("smdw", {"server.replay_paused": True}),
        "sdw1": standby("sdw1"),
    }
    lines = [*mirrored()["blocks"]["access"], "host replication hawq_mirroring 10.9.0.4/32 scram-sha-256"]
    servers = [[name, "5432"] for name in ("mdw", "smdw", "sdw1")]
    ready = {"blocks.access": sorted(lines), "credentials.servers": servers}
    found = answers({name: change(seen, ready) for name, seen in hosts.items()})[SWITCH]
    assert (found["outcome"], found["new"]) == (WORKS, "sdw1")
    assert found["command"] == "ansible-playbook hawq.mirroring.switchover -e master_host=sdw1"


LOSSES: dict[str, tuple[dict[str, t.Any], str, int | None, float | None, str]] = {
    "none on its way": ({}, MAY_LOSE, 0, 0.0, "without what it has not received: 0 B, 0.0 s now"),
    "some on its way": (
        {"server.senders": [sender(flushed_lsn="0/3017F78", replay_lag_seconds=0.25)]},
        MAY_LOSE,
        16,
        0.25,
        "16 B, 0.2 s now",
    ),
    "how long is not known": ({"server.senders": [sender(flushed_lsn="0/3017F78")]}, MAY_LOSE, 16, None, "16 B now"),
    "not connected": ({"server.senders": []}, MAY_LOSE, None, None, "how much it lacks is not known"),
    "commits wait": (SYNCHRONOUS, WORKS, 0, 0.0, "nothing is lost, since commits wait for it"),
}


@pytest.mark.parametrize(("mdw", "outcome", "lost", "seconds", "words"), LOSSES.values(), ids=LOSSES)
def test_what_goes_with_the_disk(
    mdw: dict[str, t.Any], outcome: str, lost: int | None, seconds: float | None, words: str
) -> None:
    row = answers(pair(None, mdw))[LOST]
    assert (row["outcome"], row["lost_bytes"], row["lost_seconds"]) == (outcome, lost, seconds)
    assert words in row["words"]


BOTH = {"server.senders": [sender(), sender(4712, "sdw1")], "server.slots": [slot(), slot("x", active_pid=4712)]}
WAITS: dict[str, tuple[str, dict[str, t.Any], bool]] = {
    "for none": ("", {}, False),
    "for it": ("smdw", {}, True),
    "for it, written otherwise": ('FIRST 1 ("SMDW")', {}, True),
    "for whoever is there, and it is alone": ("*", {}, True),
    "for whoever is there, and another one is": ("*", BOTH, False),
    "for another one": ("sdw1", BOTH, False),
    "for the other one first": ("FIRST 1 (sdw1, smdw)", BOTH, False),
    "for both": ("FIRST 2 (sdw1, smdw)", BOTH, True),
    "for it first": ("FIRST 1 (smdw, sdw1)", BOTH, True),
    "for any of both": ("ANY 1 (smdw, sdw1)", BOTH, False),
    "for any two of both": ("ANY 2 (smdw, sdw1)", BOTH, True),
    "for the other one first, which is not there": ("FIRST 1 (sdw1, smdw)", {}, True),
    "for it, and it catches up": ("smdw", {"server.senders": [sender(streaming=False)]}, False),
    "for it, and it is not there": ("smdw", {"server.senders": []}, False),
}


@pytest.mark.parametrize(("names", "mdw", "waits"), WAITS.values(), ids=WAITS)
def test_whether_commits_wait_for_a_standby(names: str, mdw: dict[str, t.Any], waits: bool) -> None:
    seen = mirrored("mdw", {**set_to(synchronous_standby_names=names), **mdw})
    assert synchronous.waits_for(seen, "smdw") is waits


def test_what_would_be_seen_when_the_server_dies() -> None:
    hosts = pair(None, {"virtual_ip": place(here=True)})
    hosts["smdw"]["asks"] = {"mdw": {"server": "accepted", "host": "answered"}}
    found: t.Any = hypothetical.server_dies(hosts, HOSTS, "mdw")
    dead, other = found["mdw"], found["smdw"]
    assert [shape.misfits(seen, Shape) for seen in found.values()] == [[], []]
    assert topology.kind(dead) == topology.STOPPED
    assert (dead["control"]["ended"], dead["control"]["as_master"], dead["virtual_ip"]["here"]) == (
        "crashed",
        True,
        False,
    )
    assert (other["probes"]["mdw"]["open"], other["probes"]["mdw"]["answers"]) == (False, False)
    assert other["asks"] == {"mdw": {"server": None, "host": "answered"}}
    assert other["server"]["receiver"] is None
    assert evidence.fence("mdw", "smdw", found, {"smdw": other}, {}) == (evidence.BY_MODULE, [])


def test_what_would_be_seen_when_the_host_goes_silent() -> None:
    hosts = pair({"asks": {"mdw": {"server": "accepted", "host": "answered"}}})
    found: t.Any = hypothetical.host_goes_silent(hosts, HOSTS, "mdw")
    other = found["smdw"]
    assert topology.kind(found["mdw"]) == topology.UNREACHABLE
    assert other["probes"]["mdw"]["answers"] is False
    assert other["asks"]["mdw"] == {"server": None, "host": "timed out"}
    assert other["server"]["receiver"] == hosts["smdw"]["server"]["receiver"]


ON_ITS_WAY = {
    "what it was told of is written a moment later": ("0/3017F88", "0/3018108", "0/3018108"),
    "as much as comes at once": ("0/3017F88", "0/3037F88", "0/3037F88"),
    "more is really missing": ("0/3017F88", "0/3037F89", "0/3017F88"),
    "nothing is on its way": ("0/3017F88", "0/3017F88", "0/3017F88"),
    "it has more than it was told of": ("0/3017F88", "0/3017F00", "0/3017F88"),
    "it was told of nothing": ("0/3017F88", None, "0/3017F88"),
}


@pytest.mark.parametrize(("held", "told", "then"), ON_ITS_WAY.values(), ids=ON_ITS_WAY)
def test_what_has_come_is_written_when_the_host_goes_silent(held: str, told: str | None, then: str) -> None:
    hosts: t.Any = pair({"server.have_lsn": held, "server.receiver.latest_end_lsn": told})
    found: t.Any = hypothetical.host_goes_silent(hosts, HOSTS, "mdw")
    assert found["smdw"]["server"]["have_lsn"] == then
    # without its connection there is nobody who has told of more
    found = hypothetical.server_dies(hosts, HOSTS, "mdw")
    assert found["smdw"]["server"]["have_lsn"] == held


def test_a_fault_that_is_only_thought_of_changes_nothing() -> None:
    hosts = pair()
    hypothetical.server_dies(hosts, HOSTS, "mdw")
    hypothetical.host_goes_silent(hosts, HOSTS, "mdw")
    assert hosts == pair()


def test_what_segments_would_see_and_remember() -> None:
    """What the master has written since the standby was looked at is on its way there."""
    there = {**cases.segment(lsn="0/9000000")["witnesses"], "sdw2": unreachable()}
    found = hypothetical.seen_by_segments(there, pair(), HOSTS, "mdw", hypothetical.SILENT)
    assert set(found) == {"sdw1"}
    assert found["sdw1"]["probes"]["mdw"]["open"] is False
    assert found["sdw1"]["witness"]["lsn"] == "0/3017F88"
    newer = cases.segment(lsn="0/9000000", timeline=2)["witnesses"]
    found = hypothetical.seen_by_segments(newer, pair(), HOSTS, "mdw", hypothetical.SILENT)
    assert found["sdw1"]["witness"]["lsn"] == "0/9000000"


def test_a_standby_of_a_standby_goes_on_receiving() -> None:
    hosts = {**pair(), "sdw1": standby("sdw1", {"follows.host": "smdw"})}
    found = hypothetical.server_dies(hosts, HOSTS, "mdw")
    assert found["sdw1"]["server"]["receiver"] is not None
    assert found["sdw1"]["probes"]["smdw"]["answers"] is True


def test_the_slot_is_that_of_the_fixtures() -> None:
    assert pair()["mdw"]["server"]["slots"][0]["name"] == SLOT
