# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with the address that follows the master, and what the judges make of that."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    address,
    hypothetical,
    init_standby,
    switchover,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.values import options
from observations import HOSTS, MACS, crashed, empty, mirrored, place, standby, unreachable
from programs import VIRTUAL_IP, loaded

STRANGE = "02:aa:00:00:00:01"
HOLDS = {"here": True, "on": ["eth0"]}
UNIT = "hawq-mirroring-virtual-ip-hawq-master.service"


def program(**here: t.Any) -> dict[str, t.Any]:
    told = {"address": "192.0.2.10/24", "interface": "eth0"}
    base = {"program": "a", "settings": told, "unit": "b", "stale": False, "enabled": True, "active": True}
    return {"virtual-ip": {**base, "state": "active", "says": "", **here}}


def pair(mdw: dict[str, t.Any] | None = None, smdw: dict[str, t.Any] | None = None, **here: t.Any) -> dict[str, t.Any]:
    """Return a master that has the address and a standby: what differs of their places, and of its program."""
    return {
        "mdw": mirrored("mdw", {"virtual_ip": place("mdw", **{**HOLDS, **(mdw or {})}), "programs": program()}),
        "smdw": standby("smdw", {"virtual_ip": place("smdw", **(smdw or {})), "programs": program(**here)}),
    }


TROUBLES: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[tuple[str, str, str]]]] = {
    "well": ({}, {}, []),
    "the master answers the standby": ({}, {"taken": True, "others": [MACS["mdw"]]}, []),
    "no such interface": (
        {},
        {"link": "missing", "interface": "eth0.100", "networks": []},
        [
            (
                "address-interface",
                "smdw has no interface eth0.100 for 192.0.2.10/24 (it has eth0)",
                "Set virtual_ip_interface for smdw",
            )
        ],
    ),
    "down": (
        {},
        {"link": "down"},
        [("address-interface", "the interface eth0 of smdw", "on smdw: ip link set eth0 up")],
    ),
    "in no network there": (
        {},
        {"networks": ["198.51.100.0/24"]},
        [("address-misfit", "in no network of eth0 on smdw (198.51.100.0/24)", "Correct")],
    ),
    "in one of two networks there": ({}, {"networks": ["198.51.100.0/24", "192.0.2.0/24"]}, []),
    "too wide": (
        {},
        {"networks": ["192.0.2.0/25"]},
        [("address-misfit", "is wider than the network of eth0", "Set virtual_ip_address=192.0.2.10/25")],
    ),
    "narrower": ({}, {"networks": ["192.0.0.0/16"]}, []),
    "alone on its interface": ({}, {"networks": []}, []),
    "IPv6": (
        {},
        {"address": "fd00::10/64", "networks": ["fd00:1::/64"]},
        [("address-misfit", "fd00::10/64 is in no network", "Correct")],
    ),
    "on another interface of the standby's host": (
        {},
        {"on": ["eth1"], "here": True},
        [("address-configured", "192.0.2.10 is on eth1 of smdw", "ip address flush dev eth1 to 192.0.2.10")],
    ),
    "on two of the master's": (
        {"on": ["eth0", "eth1"]},
        {},
        [("address-configured", "192.0.2.10 is on eth1 of mdw", "flush dev eth1")],
    ),
    "still on the interface of before": ({"interface": "ens3", "networks": []}, {}, []),
    "another program is told of it": (
        {},
        {"named_in": ["/etc/keepalived/keepalived.conf"]},
        [
            (
                "address-configured",
                "/etc/keepalived/keepalived.conf on smdw names 192.0.2.10",
                "Take it out there on smdw",
            )
        ],
    ),
    "named in two files of the master's": (
        {"named_in": ["/etc/netplan/a.yaml", "/etc/netplan/b.yaml"]},
        {},
        [("address-configured", "/etc/netplan/a.yaml and /etc/netplan/b.yaml on mdw name 192.0.2.10", "there on mdw")],
    ),
    "a third host has it, as both see": (
        {"others": [STRANGE]},
        {"taken": True, "others": [STRANGE, MACS["mdw"]]},
        [
            (
                "address-taken",
                f"a host that was not looked at answers for 192.0.2.10 ({STRANGE})",
                "Take 192.0.2.10 off the host",
            )
        ],
    ),
    "nobody could be asked": ({"others": None}, {"others": None}, []),
}


SWAP: dict[str, t.Any] = {
    "master_host": None,
    "standby_host": None,
    "fence_command": None,
    "master_is_down": False,
    "accept_data_loss": False,
    "replication_user": "hawq_mirroring",
    "witnesses": {},
}


def kinds(rows: t.Any) -> list[str]:
    """Return what the address is refused for."""
    return [row.kind for row in rows if row.kind.startswith("address")]


@pytest.mark.parametrize(("mdw", "smdw", "found"), TROUBLES.values(), ids=TROUBLES)
def test_what_is_wrong_is_found_by_every_judge(
    mdw: dict[str, t.Any], smdw: dict[str, t.Any], found: list[tuple[str, str, str]]
) -> None:
    seen = pair(mdw, smdw)
    rows = address.refusals(seen, seen, HOSTS)
    assert [row.kind for row in rows] == [kind for kind, _found, _command in found]
    for row, (_kind, words, command) in zip(rows, found):
        assert words in row.found
        assert command in row.command
        assert row.command.endswith(", then run this again")
    assert kinds(switchover.judge(seen, HOSTS, SWAP).refusals) == kinds(rows)
    assert kinds(init_standby.judge(seen, HOSTS, cases.INIT_STANDBY).refusals) == kinds(rows)
    assert kinds(cases.resync(seen, {}).refusals) == []  # a standby that comes back is worth more than its address
    problems = {row["kind"]: row for row in cases.state(seen)["problems"]}
    assert {row.kind for row in rows} <= set(problems)
    assert "switchover-refused" not in problems
    for row in rows:
        assert row.command.removesuffix(", then run this again") in problems[row.kind]["command"]


def test_the_address_of_a_host_itself_is_refused() -> None:
    hosts: t.Any = {"mdw": {"address": "192.0.2.10", "port": 5432}, "smdw": {"address": "smdw", "port": 5432}}
    found = address.refusals(["smdw"], pair(), hosts)
    assert [row.found for row in found] == [
        "192.0.2.10 is the address of mdw itself, and it would be taken off that host"
    ]


OLDER = {"address": "192.0.2.10/24", "here": False, "taken": None}


@pytest.mark.parametrize("seen", [unreachable(), empty(), empty(overrides={"virtual_ip": OLDER})])
def test_what_was_not_looked_at_is_not_wrong(seen: t.Any) -> None:
    assert address.troubles("smdw", {"smdw": seen}, HOSTS) == []
    assert address.left("smdw", empty(overrides={"virtual_ip": OLDER, "programs": program()})) == ""


IDLE: dict[str, tuple[dict[str, t.Any], str]] = {
    "well": ({}, ""),
    "it is being started": ({"active": False, "state": "activating"}, ""),
    "it does not run": ({"active": False, "state": "failed"}, f"{UNIT} on smdw does not run"),
    "it was stopped": ({"active": False, "state": "inactive"}, f"{UNIT} on smdw does not run"),
    "it lacks a capability": (
        {"says": f"{address.COULD_NOT}: this process lacks CAP_NET_RAW"},
        f"{UNIT} on smdw says: {address.COULD_NOT}: this process",
    ),
    "of an older observation": ({"state": None}, ""),
}


@pytest.mark.parametrize(("here", "words"), IDLE.values(), ids=IDLE)
def test_what_the_program_has_tried_is_found_before_the_master_is_stopped(here: dict[str, t.Any], words: str) -> None:
    seen = pair(**here)
    refused = switchover.judge(seen, HOSTS, SWAP).refusals
    problems = [row for row in cases.state(seen)["problems"] if row["kind"] == "address-program"]
    assert kinds(refused) == (["address-program"] if words else [])
    assert [row["command"] for row in problems] == (
        [f"on smdw: systemctl restart {UNIT.removesuffix('.service')}"] if words else []
    )
    assert all(words in row.found for row in refused)


def test_the_programs_words_are_those_that_are_looked_for() -> None:
    assert loaded(VIRTUAL_IP).COULD_NOT == address.COULD_NOT


LEFT: dict[str, tuple[dict[str, t.Any] | None, str]] = {
    "as before": (place("mdw", **HOLDS), ""),
    "another address": (
        place("mdw", address="192.0.2.11/24"),
        "mdw is told to hold 192.0.2.10/24 on eth0, and the inventory says 192.0.2.11/24 on eth0",
    ),
    "another interface": (
        place("mdw", **HOLDS, interface="ens3"),
        "mdw is told to hold 192.0.2.10/24 on eth0, and the inventory says 192.0.2.10/24 on ens3",
    ),
    "none any more": (None, "mdw is told to hold 192.0.2.10/24, and the inventory names no such address any more"),
}


@pytest.mark.parametrize(("there", "words"), LEFT.values(), ids=LEFT)
def test_an_inventory_that_has_changed_is_told_and_mended(there: dict[str, t.Any] | None, words: str) -> None:
    seen = pair()
    seen["mdw"]["virtual_ip"] = there
    seen["smdw"]["virtual_ip"] = there and {**there, "here": False, "on": []}
    found = [row for row in cases.state(seen)["problems"] if row["kind"] == "address-program"]
    assert [row["text"] for row in found] == ([words, words.replace("mdw", "smdw")] if words else [])
    assert all(row["command"] == "ansible-playbook hawq.mirroring.init_standby" for row in found)
    steps = init_standby.judge(seen, HOSTS, cases.INIT_STANDBY).plan["steps"]
    assert steps["address_gone"] == ([] if there else ["mdw", "smdw"])
    assert steps["address"] == (["mdw", "smdw"] if there else [])
    seen["smdw"]["programs"] = {"virtual-ip": {"program": "a", "settings": None}}
    assert address.gone(["smdw"], seen) == []  # what was removed is not removed again


def test_a_failover_goes_on_and_says_who_else_has_it() -> None:
    seen = {**pair(smdw={"taken": True, "others": [STRANGE]}), "mdw": crashed({"virtual_ip": place("mdw")})}
    found = cases.failover(seen, {})
    assert found.refusals == []
    assert [text for text in found.plan["evidence"] if STRANGE in text] == [
        f"a host that was not looked at answers for 192.0.2.10 ({STRANGE}): it is announced from smdw all the same, and"
        " until that host has given it up clients would reach now one host, now the other. To see whether it has:"
        " ansible-playbook hawq.mirroring.state"
    ]


def test_a_silent_master_is_not_dead_while_somebody_answers_and_a_way_is_named() -> None:
    closed = {"probes.mdw.open": False, "probes.mdw.answers": False}
    there = {"virtual_ip": place("smdw", taken=True, others=[STRANGE])}
    (row,) = cases.failover(
        {"mdw": unreachable(), "smdw": standby("smdw", {**closed, **there})}, {"master_is_down": True}
    ).refusals
    assert row.kind == "address-taken"
    assert f"as seen from smdw ({STRANGE})" in row.found
    assert "go on without the address: -e master_is_down=true -e virtual_ip_address=" in row.command


def test_readiness_knows_that_a_third_host_would_answer() -> None:
    """A master that dies leaves its address free, unless somebody else has it."""
    for others, taken in (([MACS["mdw"]], False), ([MACS["mdw"], STRANGE], True)):
        then: t.Any = hypothetical.host_goes_silent(pair(smdw={"taken": True, "others": others}), HOSTS, "mdw")
        assert then["smdw"]["virtual_ip"]["taken"] is taken
        assert then["smdw"]["virtual_ip"]["others"] == ([STRANGE] if taken else [])


WRONG = {
    "999.1.1.1/24": "does not appear to be an IPv4 or IPv6",
    "192.0.2.0/24": "which is the network 192.0.2.0/24 itself",
    "192.0.2.255/24": "which is the network 192.0.2.0/24 itself",
    "192.0.2.10/33": "does not appear to be",
    "127.0.0.1/8": "which other hosts cannot reach",
    "fe80::1/64": "which other hosts cannot reach",
    "fd00::/64": "which is the network fd00::/64 itself",
    "::/0": "which",
}
RIGHT = ["", "192.0.2.10/24", "192.0.2.10/32", "192.0.2.0/31", "fd00::10/64", "fd00::10/128", "2001:DB8::1/64"]


@pytest.mark.parametrize(("given", "words"), WRONG.items(), ids=WRONG)
def test_what_can_be_no_hosts_address_is_refused_at_once(given: str, words: str) -> None:
    found = options.misfits({"virtual_ip_address": given})
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize("given", RIGHT)
def test_what_can_be_one_is_not(given: str) -> None:
    assert options.misfits({"virtual_ip_address": given}) == []
