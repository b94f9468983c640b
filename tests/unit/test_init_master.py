# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The decision table of init_master: one row for each outcome."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import init_master
from cases import EVERY_KIND, TWO_MASTERS, Hosts, Refusals, three
from observations import (
    DATA,
    FILES,
    HOSTS,
    empty,
    frozen,
    master,
    mirrored,
    shown,
    silent,
    standby,
    stopped,
    unreachable,
)

PLANS: dict[str, tuple[Hosts, str | None, dict[str, t.Any]]] = {
    "one empty host": ({"mdw": empty("mdw")}, None, {"master": "mdw", "create": True}),
    "named": (
        three(mdw=empty("mdw")),
        "smdw",
        {"master": "smdw", "create": True},
    ),
    "there already": ({"smdw": empty(), "mdw": master()}, None, {"master": "mdw", "create": False}),
    "there already, named": ({"mdw": mirrored(), "smdw": standby()}, "mdw", {"master": "mdw", "create": False}),
}
REFUSALS: dict[str, tuple[Hosts, str | None, Refusals]] = {
    "another one is there": (
        {"mdw": master(), "smdw": empty()},
        "smdw",
        [("mdw already is a master, not smdw", "mirroring.init_standby")],
    ),
    "two masters": (TWO_MASTERS["mdw and smdw"], None, [("mdw and smdw both accept writes", "systemctl stop")]),
    "two masters, one named": (TWO_MASTERS["mdw and smdw"], "smdw", [("both accept writes", "systemctl stop")]),
    "not named": (three(mdw=empty("mdw")), None, [("has 3 hosts", "-e master_host=smdw or -e master_host=sdw1")]),
    "unknown": (three(mdw=empty("mdw")), "mwd", [("mwd is not in the inventory's group", "-e master_host=")]),
    "stopped master": ({"mdw": stopped("mdw")}, None, [("mdw holds the data of a master", "systemctl start hawq-")]),
    "stopped master elsewhere": (
        {"mdw": empty("mdw"), "smdw": stopped()},
        "mdw",
        [("smdw holds the data of a master", f"move {DATA} away yourself")],
    ),
    "standby elsewhere": (
        {"mdw": empty("mdw"), "smdw": standby()},
        "mdw",
        [("smdw holds a running standby", "ansible-playbook hawq.mirroring.failover")],
    ),
    "silent server": ({"mdw": silent("mdw")}, None, [("gives no session (no session: too many", "systemctl status")]),
    "frozen server": ({"mdw": frozen(master())}, None, [("a frozen server process", "systemctl status")]),
    "other files": ({"mdw": empty("mdw", FILES)}, None, [("files that are not a server's", f"ls -la {DATA}")]),
    "A16: two that were masters, of which one has the newer data": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", {"histories": {"2": [[1, "0/3017F88"]]}})},
        "mdw",
        [
            ("mdw holds the data of a master", "Start smdw, which has the newest data"),
            ("smdw holds the data of a master", "Start smdw, which has the newest data"),
        ],
    ),
    "unreachable": (
        {"mdw": empty("mdw"), "smdw": unreachable()},
        "mdw",
        [("smdw is not reachable by SSH", "take it out of the group masters")],
    ),
    "its file system is read-only": (
        {"mdw": empty("mdw", {"data_directory.read_only": "/data/hawq/master"})},
        None,
        [
            (
                "the file system of /data/hawq/master on mdw is mounted read-only",
                "remount,rw $(findmnt -nT /data/hawq/master",
            )
        ],
    ),
    "its file system is not mounted": (
        {"mdw": empty("mdw", {"data_directory.unmounted": "/data"})},
        None,
        [("nothing is mounted at /data on mdw", "mount /data on mdw")],
    ),
    "port taken": ({"mdw": empty("mdw", {"listening": True})}, None, [("port 5432 on mdw is taken", "server_port")]),
}


@pytest.mark.parametrize(("hosts", "chosen", "expected"), PLANS.values(), ids=PLANS)
def test_init_master_goes_on(hosts: Hosts, chosen: str | None, expected: dict[str, t.Any]) -> None:
    verdict = init_master.judge(hosts, HOSTS, {"master_host": chosen})
    assert [refusal.sentence() for refusal in verdict.refusals] == []
    assert shown(verdict.plan, expected) == expected


@pytest.mark.parametrize(("hosts", "chosen", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_init_master_refuses(hosts: Hosts, chosen: str | None, expected: Refusals) -> None:
    refusals = init_master.judge(hosts, HOSTS, {"master_host": chosen}).refusals
    assert len(refusals) == len(expected), [refusal.sentence() for refusal in refusals]
    for refusal, (found, command) in zip(refusals, expected):
        assert found in refusal.found
        assert command in refusal.command


@pytest.mark.parametrize("first", EVERY_KIND)
@pytest.mark.parametrize("second", EVERY_KIND)
def test_a_master_is_only_made_where_there_is_nothing_at_all(first: str, second: str) -> None:
    hosts = {"mdw": EVERY_KIND[first]("mdw"), "smdw": EVERY_KIND[second]("smdw")}
    created = init_master.judge(hosts, HOSTS, {"master_host": "mdw"})
    if not created.refusals and created.plan["create"]:
        assert [first, second] == ["empty", "empty"]


@pytest.mark.parametrize("hosts", TWO_MASTERS.values(), ids=TWO_MASTERS)
def test_no_further_master_is_made_beside_two_whoever_is_named(hosts: Hosts) -> None:
    for chosen in (None, *hosts):
        assert init_master.judge(hosts, HOSTS, {"master_host": chosen}).refusals
