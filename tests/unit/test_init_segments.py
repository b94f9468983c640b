# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether and how the segments are let in: the decision table of init_segments."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import init_segments
from cases import Hosts, Refusals, assert_refused
from observations import DATA, HOSTS, Observation, empty, master, mirrored, shown, standby, stopped, unreachable

PAIR = {"mdw": mirrored(), "smdw": standby()}
SEGMENT, OTHER = empty("sdw1"), empty("sdw2")


def judge(hosts: Hosts, segments: Hosts) -> t.Any:
    return init_segments.judge(
        hosts, HOSTS, {"segment_user": "hawq_mirroring_segment", "view_databases": [], "witnesses": segments}
    )


def lines(*addresses: str) -> list[str]:
    return [f"host postgres hawq_mirroring_segment {address}/32 scram-sha-256" for address in addresses]


PLANS: dict[str, tuple[Hosts, Hosts, dict[str, t.Any]]] = {
    "one": (
        PAIR,
        {"sdw1": SEGMENT},
        {
            "master": "mdw",
            "segments": ["sdw1"],
            "unreachable": [],
            "hba_lines": lines("10.9.0.4"),
            "hba_files": {"mdw": f"{DATA}/pg_hba.conf", "smdw": f"{DATA}/pg_hba.conf"},
            "views": ["mdw", "smdw"],
            "view_databases": ["postgres", "template1"],
            "let_in": ["mdw", "smdw"],
            "password": ["mdw"],
            "register": ["sdw1"],
            "confirm": ["mdw"],
        },
    ),
    "a master without a standby": ({"mdw": master()}, {"sdw1": SEGMENT}, {"let_in": ["mdw"]}),
    "a host of the group has no data yet": (
        {"mdw": master(), "smdw": empty()},
        {"sdw1": SEGMENT},
        {"let_in": ["mdw"], "register": ["sdw1"]},
    ),
    "two": (
        PAIR,
        {"sdw1": SEGMENT, "sdw2": OTHER},
        {"segments": ["sdw1", "sdw2"], "hba_lines": lines("10.9.0.4", "192.0.2.14")},
    ),
    "one of them is off": (
        PAIR,
        {"sdw1": SEGMENT, "sdw2": unreachable()},
        {"segments": ["sdw1"], "unreachable": ["sdw2"], "register": ["sdw1"], "hba_lines": lines("10.9.0.4")},
    ),
    "all are off": (
        PAIR,
        {"sdw1": unreachable()},
        {"segments": [], "unreachable": ["sdw1"], "register": [], "hba_lines": []},
    ),
}
REFUSALS: dict[str, tuple[Hosts, Hosts, Refusals]] = {
    "no master": (
        {"mdw": stopped("mdw"), "smdw": standby()},
        {"sdw1": SEGMENT},
        [("no-master", "systemctl start hawq-master.service")],
    ),
    "no segments": (
        PAIR,
        {},
        [("no-segments", "or hosts that only bear witness in the group witnesses, then run this again")],
    ),
    "the standby's host is off": (
        {"mdw": mirrored(), "smdw": unreachable()},
        {"sdw1": SEGMENT},
        [("unreachable", "Bring it up, then run this again")],
    ),
    "an access file that nobody may change": (
        {"mdw": mirrored("mdw", {"blocks.unchangeable": "/data/hawq/master/pg_hba.conf"}), "smdw": standby()},
        {"sdw1": SEGMENT},
        [("read-only", "on mdw: chattr -i -a /data/hawq/master/pg_hba.conf, then run this again")],
    ),
    "one has no user": (
        PAIR,
        {"sdw1": empty("sdw1", {"user.exists": False}), "sdw2": OTHER},
        [("segment-not-prepared", "Prepare it as a segment first, or name another in gpadmin_user_name")],
    ),
    "two lack the client": (
        PAIR,
        {name: empty(name, {"binaries.missing": ["psql"]}) for name in ("sdw1", "sdw2")},
        [("segment-not-prepared", "binaries_prefix"), ("segment-not-prepared", "binaries_prefix")],
    ),
}


@pytest.mark.parametrize(("hosts", "segments", "expected"), PLANS.values(), ids=PLANS)
def test_init_segments_goes_on(hosts: Hosts, segments: Hosts, expected: dict[str, t.Any]) -> None:
    plan, refusals = judge(hosts, segments)
    assert refusals == []
    assert shown(plan, expected) == expected


@pytest.mark.parametrize(("hosts", "segments", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_init_segments_refuses(hosts: Hosts, segments: Hosts, expected: Refusals) -> None:
    assert_refused(judge(hosts, segments).refusals, expected)


LACKS: dict[str, tuple[Observation, str]] = {
    "the user": (empty("sdw1", {"user.exists": False}), "sdw1 lacks the user gpadmin"),
    "the client": (
        empty("sdw1", {"binaries.missing": ["psql"]}),
        "sdw1 lacks /usr/lib/postgresql/15/bin/psql",
    ),
}


@pytest.mark.parametrize(("seen", "found"), LACKS.values(), ids=LACKS)
def test_a_refusal_says_what_a_segment_lacks(seen: Observation, found: str) -> None:
    (refusal,) = judge(PAIR, {"sdw1": seen}).refusals
    assert refusal.found == found
