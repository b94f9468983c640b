# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is known of an old master: is it dead, how is it fenced, what does its standby lack."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import evidence
from cases import Hosts, Options, Refusals, assert_refused, segment
from observations import (
    CLOSED,
    FILES,
    FORMER,
    Observation,
    crashed,
    empty,
    frozen,
    master,
    mute,
    silent,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

OPTIONS: Options = {"fence_command": None, "master_is_down": False, "accept_data_loss": False}
DOWN, COMMAND, LOSS = {"master_is_down": True}, {"fence_command": "power off"}, {"accept_data_loss": True}
#: a standby that sees nothing of its master
CUT_OFF = standby("smdw", CLOSED)
OPEN = {"probes.mdw.answers": False}
TAKEN = {**CLOSED, "virtual_ip": {"address": "10.9.0.100/24", "here": False, "taken": True}}
FREE = {**CLOSED, "virtual_ip": {"address": "10.9.0.100/24", "here": False, "taken": False}}
#: two sessions of the standby hold its replay up
BLOCKED: dict[str, t.Any] = {
    "server.replay_blocked": True,
    "server.blockers": [
        {"pid": 4801, "user": "report", "name": "psql", "open_seconds": 180.0},
        {"pid": 4802, "user": None, "name": "", "open_seconds": None},
    ],
}
BEHIND = {"server.receiver.latest_end_lsn": "0/4017F88"}

FENCES: dict[str, tuple[Observation, Observation, Hosts, Options, str]] = {
    "crashed": (crashed(), CUT_OFF, {}, {}, evidence.BY_MODULE),
    "stopped": (stopped("mdw"), CUT_OFF, {}, {}, evidence.BY_MODULE),
    "frozen": (frozen(master()), standby(), {}, {}, evidence.BY_MODULE),
    "runs as a standby": (standby("mdw"), standby(), {}, {}, evidence.BY_MODULE),
    "a stopped standby": (stopped_standby("mdw"), CUT_OFF, {}, {}, evidence.BY_MODULE),
    "off, the operator's word": (unreachable(), CUT_OFF, {}, DOWN, evidence.BY_WORD),
    "off, a command": (unreachable(), CUT_OFF, {}, COMMAND, evidence.BY_COMMAND),
    "off, the word before the command": (unreachable(), CUT_OFF, {}, {**DOWN, **COMMAND}, evidence.BY_WORD),
    "off, and nobody has looked at its port": (
        unreachable(),
        standby("smdw", {"probes": {}}),
        {},
        DOWN,
        evidence.BY_WORD,
    ),
    "its port is open, a command": (unreachable(), standby("smdw", OPEN), {}, COMMAND, evidence.BY_COMMAND),
    "its address lives, a command": (unreachable(), standby("smdw", TAKEN), {}, COMMAND, evidence.BY_COMMAND),
    "nobody has its address, the operator's word": (
        unreachable(),
        standby("smdw", FREE),
        {},
        DOWN,
        evidence.BY_WORD,
    ),
    "its data is gone, both words": (empty("mdw"), CUT_OFF, {}, {**DOWN, **LOSS}, evidence.BY_WORD),
    "its data is gone, loss and a command": (empty("mdw"), CUT_OFF, {}, {**COMMAND, **LOSS}, evidence.BY_COMMAND),
    "a segment cannot open its port either": (
        unreachable(),
        CUT_OFF,
        segment(at=1.0)["witnesses"],
        DOWN,
        evidence.BY_WORD,
    ),
}
UNPROVEN: dict[str, tuple[Observation, Observation, Hosts, Options, Refusals]] = {
    "gives no session": (
        silent("mdw"),
        CUT_OFF,
        {},
        {**DOWN, **COMMAND},
        [("no-session", "stop it (systemctl stop hawq-master.service on mdw)")],
    ),
    "answers the standby": (
        unreachable(),
        standby(),
        {},
        {**DOWN, **COMMAND},
        [("master-alive", "Mend the way from here to mdw, or stop the server there")],
    ),
    "answers a segment": (
        unreachable(),
        CUT_OFF,
        {"sdw1": empty("sdw1")},
        DOWN,
        [("master-alive", "Mend the way from here to mdw, or stop the server there")],
    ),
    "its port is open": (
        unreachable(),
        standby("smdw", OPEN),
        {},
        DOWN,
        [("port-open", "Switch mdw off, then run this again. Or let this do it: -e \"fence_command='COMMAND'\"")],
    ),
    "its data is gone": (
        empty("mdw"),
        CUT_OFF,
        {},
        DOWN,
        [("data-not-there", "hawq.mirroring.failover -e accept_data_loss=true -e master_is_down=true")],
    ),
    "files of somebody else are in its place": (
        empty("mdw", FILES),
        CUT_OFF,
        {},
        DOWN,
        [("data-not-there", "Mount it, then run this again")],
    ),
    "its data is gone, and the loss is accepted": (
        empty("mdw"),
        CUT_OFF,
        {},
        LOSS,
        [("not-proven-dead", "-e master_is_down=true")],
    ),
    "its address lives": (
        unreachable(),
        standby("smdw", TAKEN),
        {},
        DOWN,
        [("address-taken", "Switch mdw off, then run this again. Or let this do it: -e \"fence_command='COMMAND'\"")],
    ),
    "off, and nobody says so": (
        unreachable(),
        CUT_OFF,
        {},
        {},
        [("not-proven-dead", "Switch mdw off and say so: -e master_is_down=true. Or let this do it")],
    ),
}


def fence(mdw: Observation, smdw: Observation, witnesses: Hosts, options: Options) -> t.Any:
    hosts = {"mdw": mdw, "smdw": smdw}
    return evidence.fence("mdw", "smdw", hosts, {"smdw": smdw, **witnesses}, {**OPTIONS, **options})


@pytest.mark.parametrize(("mdw", "smdw", "witnesses", "options", "how"), FENCES.values(), ids=FENCES)
def test_it_is_fenced(mdw: Observation, smdw: Observation, witnesses: Hosts, options: Options, how: str) -> None:
    assert fence(mdw, smdw, witnesses, options) == (how, [])


@pytest.mark.parametrize(("mdw", "smdw", "witnesses", "options", "expected"), UNPROVEN.values(), ids=UNPROVEN)
def test_it_cannot_be_taken_for_dead(
    mdw: Observation, smdw: Observation, witnesses: Hosts, options: Options, expected: Refusals
) -> None:
    how, refusals = fence(mdw, smdw, witnesses, options)
    assert how == evidence.NOT_NEEDED
    assert_refused(refusals, expected)
    assert [refusal.asks for refusal in refusals] == [
        ("master_is_down", "mdw") if kind == "not-proven-dead" else None for kind, _command in expected
    ]


LISTED: dict[str, tuple[Hosts, Hosts, list[str]]] = {
    "all that the standby sees": (
        {"mdw": unreachable(), "smdw": CUT_OFF},
        {},
        [
            "mdw: not reachable by SSH (Connection timed out)",
            "its port mdw:5432 as seen from smdw: not open (timed out)",
            "WAL receiver on smdw: streaming, last heard of 0.1 s ago",
        ],
    ),
    "a third host": (
        {"mdw": crashed(), "smdw": CUT_OFF, "sdw1": empty("sdw1")},
        {},
        [
            "mdw: the data of a master whose server is stopped (not shut down cleanly, timeline 1)",
            "sdw1: without a data directory",
            "its port mdw:5432 as seen from smdw: not open (timed out)",
            "WAL receiver on smdw: streaming, last heard of 0.1 s ago",
        ],
    ),
    "its port is open, and the standby is not connected": (
        {"mdw": unreachable(), "smdw": standby("smdw", {**OPEN, "server.receiver": None})},
        {},
        [
            "mdw: not reachable by SSH (Connection timed out)",
            "its port mdw:5432 as seen from smdw: open, no answer",
            "WAL receiver on smdw: not connected",
        ],
    ),
    "a segment remembers it": (
        {"mdw": unreachable(), "smdw": stopped_standby("smdw", CLOSED)},
        segment(at=1795428856.0)["witnesses"],
        [
            "mdw: not reachable by SSH (Connection timed out)",
            "its port mdw:5432 as seen from smdw: not open (timed out)",
            "its port mdw:5432 as seen from sdw1: not open (timed out)",
            "sdw1 last reached mdw at 2026-11-23 10:14:16 UTC: Synchronized, LSN 0/3017F88 on timeline 1",
        ],
    ),
    "its address lives": (
        {"mdw": unreachable(), "smdw": stopped_standby("smdw", TAKEN)},
        {},
        [
            "mdw: not reachable by SSH (Connection timed out)",
            "its port mdw:5432 as seen from smdw: not open (timed out)",
            "10.9.0.100/24 as seen from smdw: answered",
        ],
    ),
    "nobody has its address, and nobody has looked at its port": (
        {"mdw": unreachable(), "smdw": stopped_standby("smdw", {"virtual_ip": FREE["virtual_ip"], "probes": {}})},
        {},
        ["mdw: not reachable by SSH (Connection timed out)", "10.9.0.100/24 as seen from smdw: nobody answers"],
    ),
    "the standby gives no session (55)": (
        {"mdw": crashed(), "smdw": mute()},
        {},
        [
            "mdw: the data of a master whose server is stopped (not shut down cleanly, timeline 1)",
            "its port mdw:5432 as seen from smdw: answered",
            "smdw gives no session (no session: too many clients): it is activated without one",
        ],
    ),
    "a query holds replay up (57)": (
        {"mdw": crashed(), "smdw": standby("smdw", BLOCKED)},
        {},
        [
            "mdw: the data of a master whose server is stopped (not shut down cleanly, timeline 1)",
            "its port mdw:5432 as seen from smdw: answered",
            "WAL receiver on smdw: streaming, last heard of 0.1 s ago",
            "sessions on smdw hold replay up, and the activation ends them:"
            " process 4801 (report, psql, open for 3 minutes), process 4802 (no role, without a name)",
        ],
    ),
    "it answers": (
        {"mdw": silent("mdw"), "smdw": stopped_standby()},
        {},
        [
            "mdw: a server process that gives no session (no session: too many clients)",
            "its port mdw:5432 as seen from smdw: answered",
        ],
    ),
}


@pytest.mark.parametrize(("hosts", "witnesses", "found"), LISTED.values(), ids=LISTED)
def test_the_evidence_as_people_read_it(hosts: Hosts, witnesses: Hosts, found: list[str]) -> None:
    assert evidence.listed(hosts, {"smdw": hosts["smdw"], **witnesses}, "mdw", "smdw") == found


def test_how_far_a_standby_is() -> None:
    found = {"after": "0/3017F88", "have": "0/4017F88", "timeline": 1, "known": "0/5017F88", "known_from": ""}
    seen = standby("smdw", {"server.have_lsn": "0/4017F88"})
    assert evidence.standing(seen, "0/5017F88") == found
    restarted = standby("smdw", {"server.timeline": None, "server.checkpoint_timeline": 2})
    assert (evidence.standing(restarted, None) or {})["timeline"] == 2
    assert evidence.standing(stopped_standby(), "0/5017F88") is None
    of_files = {**found, "after": "0/4017F88"}
    assert evidence.standing(mute("smdw", {"wal_end": "0/4017F88"}), "0/5017F88") == of_files
    unknown = mute("smdw", {"wal_end": None, "control.min_recovery_lsn": None})
    assert evidence.standing(unknown, "0/5017F88") is None


HAVE: dict[str, tuple[Observation, str | None]] = {
    "running": (standby("smdw", {"server.have_lsn": "0/4017F88"}), "0/4017F88"),
    "no session": (mute("smdw", {"wal_end": "0/4017F88"}), "0/4017F88"),
    "no session, its files cannot be read": (mute("smdw", {"wal_end": None}), "0/3017F88"),
    "stopped": (stopped_standby("smdw", {"control.min_recovery_lsn": "0/4017F88"}), "0/4017F88"),
    "no control file": (stopped_standby("smdw", {"control": None}), None),
}


@pytest.mark.parametrize(("seen", "have"), HAVE.values(), ids=HAVE)
def test_what_a_standby_has(seen: Observation, have: str | None) -> None:
    assert evidence.have(seen) == have


KNOWN: dict[str, tuple[Observation, Hosts, str | None]] = {
    "the standby was told": (standby("smdw", BEHIND), {}, "0/4017F88"),
    "a segment was told of more": (standby(), segment(lsn="0/5017F88")["witnesses"], "0/5017F88"),
    "a segment was told of less": (standby("smdw", BEHIND), segment(lsn="0/3000000")["witnesses"], "0/4017F88"),
    "the segment that was told of the most, whatever the clocks say": (
        stopped_standby(),
        {**segment(lsn="0/5017F88", at=1.0)["witnesses"], **segment("sdw2", lsn="0/4017F88", at=2.0)["witnesses"]},
        "0/5017F88",
    ),
    "a segment was told by another master": (
        stopped_standby(),
        segment(master="smdw", lsn="0/5017F88")["witnesses"],
        None,
    ),
    "a segment has never registered": (stopped_standby(), segment()["witnesses"], None),
    "nobody was told": (standby("smdw", {"server.receiver": None}), {}, None),
}


@pytest.mark.parametrize(("smdw", "witnesses", "known"), KNOWN.values(), ids=KNOWN)
def test_what_it_has_told(smdw: Observation, witnesses: Hosts, known: str | None) -> None:
    assert evidence.known("mdw", "smdw", {"mdw": unreachable(), "smdw": smdw}, witnesses).lsn == known


HAS_DATA = {"crashed": (crashed(), True), "empty": (empty("mdw"), False), "off": (unreachable(), False)}


@pytest.mark.parametrize(("seen", "has_data"), HAS_DATA.values(), ids=HAS_DATA)
def test_whether_its_disk_can_be_asked(seen: Observation, has_data: bool) -> None:
    assert evidence.has_data(seen) is has_data


BRING = "Bring that host up without its server, then run this again"
MISSING: dict[str, tuple[Observation, Observation, Hosts, str]] = {
    "its disk can be asked": (crashed(), standby("smdw", BEHIND), {}, ""),
    "nothing": (unreachable(), standby(), {}, ""),
    "nothing is known": (unreachable(), standby("smdw", {"server.receiver": None}), {}, ""),
    "it has said more": (
        unreachable(),
        standby("smdw", BEHIND),
        {},
        "smdw lacks at least 16 MB of WAL (0/3017F88 of 0/4017F88) that mdw had",
    ),
    "its data is gone": (empty("mdw"), standby("smdw", BEHIND), {}, "smdw lacks at least 16 MB of WAL"),
    "a segment knows of more": (
        unreachable(),
        standby(),
        segment(lsn="0/4017F88")["witnesses"],
        "smdw lacks at least 16 MB of WAL (0/3017F88 of 0/4017F88) that mdw had",
    ),
    "a segment saw it not synchronised": (
        unreachable(),
        standby(),
        segment(summary_state="Not Synchronized")["witnesses"],
        "smdw lacks an unknown amount of WAL that mdw had, and was Not Synchronized when sdw1 last saw mdw",
    ),
    "a segment saw it not synchronised, and the standby has streamed since": (
        unreachable(),
        standby(),
        segment(summary_state="Not Synchronized", lsn="0/3017F50")["witnesses"],
        "",
    ),
    "a segment saw it not synchronised on a newer timeline, with a lower LSN": (
        unreachable(),
        standby(),
        segment(summary_state="Not Synchronized", lsn="0/3017F50", timeline=2)["witnesses"],
        "smdw lacks an unknown amount of WAL that mdw had",
    ),
    "the older memory is of a trouble, the newer one of none": (
        unreachable(),
        standby(),
        {
            **segment(summary_state="Not Synchronized", lsn="0/3017F50")["witnesses"],
            **segment("sdw2", master="mdw")["witnesses"],
        },
        "",
    ),
    "a segment saw it without a standby": (
        unreachable(),
        standby(),
        segment(summary_state="Not Configured")["witnesses"],
        "and was Not Configured when sdw1 last saw mdw",
    ),
    "a segment saw it synchronised": (unreachable(), standby(), segment(at=1.0)["witnesses"], ""),
}


@pytest.mark.parametrize(("mdw", "smdw", "witnesses", "found"), MISSING.values(), ids=MISSING)
def test_what_its_standby_lacks(mdw: Observation, smdw: Observation, witnesses: Hosts, found: str) -> None:
    refusals = evidence.missing("mdw", "smdw", {"mdw": mdw, "smdw": smdw}, witnesses, OPTIONS)
    assert_refused(refusals, [("data-missing", BRING)] if found else [])
    assert all(found in refusal.found for refusal in refusals)


STARTS: dict[str, tuple[Observation, str]] = {
    "stopped": (stopped("mdw"), "Start it on mdw (systemctl start hawq-master.service; if it does not start"),
    "fenced": (
        stopped("mdw", FORMER),
        "go back to mdw: rm /data/hawq/master/standby.signal /data/hawq/master/hawq_mirroring.fence && systemctl start"
        " hawq-master.service on mdw",
    ),
    "frozen": (frozen(master()), "On mdw, let it go on there (kill -CONT 103 $(pgrep -P 103))"),
}


@pytest.mark.parametrize(("seen", "words"), STARTS.values(), ids=STARTS)
def test_how_it_becomes_the_master_again(seen: Observation, words: str) -> None:
    assert words in evidence.start("mdw", seen)
