# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each route of a resynchronisation would cost: bytes, disk, seconds, and what is at stake."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import disk
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.newer import Newer
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import bill
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync.case import ROUTES, Case
from cases import DIVERGED, FORK, PARTED, activated, case, divergence
from observations import (
    FORMER,
    GIGABYTE,
    empty,
    master,
    mirrored,
    standby,
    stopped,
    stopped_standby,
)

FORMER_MASTER = stopped("smdw", FORMER)
#: all of a master, all WAL that it has, and what is kept aside beside the standby's own WAL
SIZE = 2 * GIGABYTE + 600000
ALL_WAL, SEGMENT = 64 << 20, 16 << 20
#: what the master has written since the former master's WAL ended, where that was at the fork, and beyond it
LAG, LESS = 0x4000000 - 0x3017F88, 0x4000000 - 0x3027F88
MINE = "3 transactions (2026-11-25 10:00:00 to 2026-11-25 10:00:02 UTC) that only smdw has"
TAKEN_OUT = "are taken out; its WAL since then is kept aside"
DISCARD, KEEP = {"existing_data": "discard"}, {"existing_data": "keep"}


def diverged(**known: t.Any) -> Case:
    return case(FORMER_MASTER, activated(), fork=PARTED, found=DIVERGED, **known)


#: case, bytes to transfer, bytes of disk, seconds, what is at stake
COSTS: dict[str, tuple[str, Case, int, int, float, str]] = {
    "none": ("none", case(standby(), mirrored()), 0, 0, 0.0, "nothing"),
    "start, level": (
        "start",
        case(stopped_standby(), mirrored()),
        0,
        0,
        5.0,
        "nothing: the master has all that it has",
    ),
    "start, behind": (
        "start",
        case(stopped_standby(), mirrored("mdw", {"server.current_lsn": "1/3017F88"})),
        4 * GIGABYTE,
        4 * GIGABYTE,
        76.6,
        "nothing: the master has all that it has",
    ),
    "follow": (
        "follow",
        case(FORMER_MASTER, activated(), fork=PARTED, found=divergence()),
        LAG,
        LAG,
        5.3,
        "nothing: the master has all that it has",
    ),
    "rewind, diverged": (
        "rewind",
        diverged(),
        12 * 8192 + ALL_WAL,
        12 * 8192 + ALL_WAL + 65536 + SEGMENT,
        7.6,
        f"{MINE} {TAKEN_OUT}",
    ),
    "rewind, not compared yet": (
        "rewind",
        case(FORMER_MASTER, activated(), fork=PARTED),
        ALL_WAL,
        ALL_WAL + SEGMENT,
        7.6,
        "nothing",
    ),
    "rewind, the master cannot say how much WAL it has": (
        "rewind",
        case(FORMER_MASTER, activated({"server.wal_bytes": None}), fork=PARTED),
        0,
        SEGMENT,
        7.0,
        "nothing",
    ),
    "delta, diverged": (
        "delta",
        diverged(),
        LESS + 65536,
        LESS + 2 * 65536 + SEGMENT,
        17.4,
        f"{MINE} {TAKEN_OUT}",
    ),
    "delta, diverged, discard": (
        "delta",
        diverged(options=DISCARD),
        LESS + 65536,
        LESS + 2 * 65536 + SEGMENT,
        17.4,
        f"{MINE} {TAKEN_OUT}",
    ),
    "delta, not more than all": (
        "delta",
        case(stopped_standby(), mirrored("mdw", {"server.current_lsn": "9/0"})),
        SIZE,
        SIZE + SEGMENT,
        35.2,
        "nothing",
    ),
    "delta, discard": (
        "delta",
        case(stopped_standby(), mirrored(), options=DISCARD),
        0,
        SEGMENT,
        17.3,
        "what only the old data has",
    ),
    "snapshot, nothing there": ("snapshot", case(empty(), master()), SIZE, SIZE + disk.SPARE_BYTES, 22.7, "nothing"),
    "snapshot, the size is not known": (
        "snapshot",
        case(empty(), master("mdw", {"server.sizes": None})),
        10 * GIGABYTE,
        10 * GIGABYTE + disk.SPARE_BYTES,
        65.7,
        "nothing",
    ),
    "snapshot": (
        "snapshot",
        case(stopped_standby(), mirrored()),
        SIZE,
        SIZE + disk.SPARE_BYTES,
        22.7,
        "nothing: the old data is moved aside",
    ),
    "snapshot, diverged": (
        "snapshot",
        diverged(options=KEEP),
        SIZE,
        SIZE + disk.SPARE_BYTES,
        22.7,
        f"{MINE} are in the old data, which is moved aside",
    ),
    "snapshot, discard": (
        "snapshot",
        case(stopped_standby(), mirrored(), options=DISCARD),
        SIZE,
        SIZE + disk.SPARE_BYTES,
        22.7,
        "the old data is deleted",
    ),
    "snapshot, diverged, discard": (
        "snapshot",
        diverged(options=DISCARD),
        SIZE,
        SIZE + disk.SPARE_BYTES,
        22.7,
        f"the old data is deleted, and with it {MINE}; its WAL is kept aside",
    ),
}


@pytest.mark.parametrize(("route", "judged", "transfer", "room", "seconds", "stake"), COSTS.values(), ids=COSTS)
def test_what_a_route_costs(route: str, judged: Case, transfer: int, room: int, seconds: float, stake: str) -> None:
    assert bill.cost(route, judged) == {
        "transfer_bytes": transfer,
        "disk_bytes": room,
        "seconds": seconds,
        "stake": stake,
    }


def test_every_route_has_its_price() -> None:
    assert {route for route, *_rest in COSTS.values()} == set(ROUTES) == set(bill.FIXED)


BEHIND: dict[str, tuple[Case, int]] = {
    "a standby that is level": (case(standby(), mirrored()), 0),
    "a standby that is behind": (case(standby(), mirrored("mdw", {"server.current_lsn": "0/3017F98"})), 16),
    "a standby that is ahead": (case(standby(), mirrored("mdw", {"server.current_lsn": "0/3000000"})), 0),
    "a standby, whatever was found of its WAL": (
        case(stopped_standby(), activated(), fork=PARTED, found=divergence(end_lsn="0/2000000")),
        LAG,
    ),
    "a standby that has diverged": (case(stopped_standby(), activated(), fork=PARTED, found=DIVERGED), LESS),
    "a former master whose WAL was read": (diverged(), LESS),
    "a former master whose WAL was not read": (
        case(stopped("smdw", {**FORMER, "control.checkpoint_lsn": "0/3FFFFF0"}), activated(), fork=PARTED),
        16,
    ),
    "one of which nothing is known": (case(stopped("smdw", {"control": None}), activated()), 0),
}


@pytest.mark.parametrize(("judged", "bytes_"), BEHIND.values(), ids=BEHIND)
def test_how_much_wal_it_lacks(judged: Case, bytes_: int) -> None:
    assert bill.behind(judged) == bytes_


ONE = {"transactions": 1, "last_commit": DIVERGED["first_commit"]}
NONE = {"transactions": 0, "first_commit": None, "last_commit": None}
LOST: dict[str, tuple[dict[str, t.Any] | None, str]] = {
    "not compared yet": (None, ""),
    "nothing of its own": (divergence(), ""),
    "transactions": (DIVERGED, MINE),
    "one transaction": (
        {**DIVERGED, **ONE},
        "1 transaction (2026-11-25 10:00:00 to 2026-11-25 10:00:00 UTC) that only smdw has",
    ),
    "WAL without a transaction": ({**DIVERGED, **NONE}, "WAL without a commit that only smdw has"),
    "not read to the end": ({**DIVERGED, "whole": False}, f"at least {MINE}"),
}


MORE = Newer("ahead-of-master", PARTED, "", "it is ahead")
UNKNOWN = Newer("newer-timeline", None, "", "it is newer")
NEWER_LOST: dict[str, tuple[Newer, dict[str, t.Any] | None, str]] = {
    "not compared yet": (MORE, None, f"what smdw has beyond {FORK} (not counted)"),
    "it cannot be read": (MORE, divergence(damage="torn"), f"what smdw has beyond {FORK} (not counted)"),
    "it was read": (MORE, DIVERGED, MINE),
    "its history cannot be read": (UNKNOWN, None, "what only smdw has"),
}


@pytest.mark.parametrize(("more", "found", "words"), NEWER_LOST.values(), ids=NEWER_LOST)
def test_what_is_newer_is_at_stake_even_when_it_cannot_be_counted(
    more: Newer, found: dict[str, t.Any] | None, words: str
) -> None:
    judged = case(FORMER_MASTER, mirrored(), fork=more.fork, found=found, newer=more)
    assert bill.lost(judged) == words
    verb = "are" if found == DIVERGED else "is"
    assert bill.cost("delta", judged)["stake"] == f"{words} {verb} taken out; its WAL since then is kept aside"
    assert bill.cost("snapshot", judged)["stake"] == f"{words} {verb} in the old data, which is moved aside"


@pytest.mark.parametrize(("found", "words"), LOST.values(), ids=LOST)
def test_what_only_it_has(found: dict[str, t.Any] | None, words: str) -> None:
    assert bill.lost(case(FORMER_MASTER, activated(), fork=PARTED, found=found)) == words
