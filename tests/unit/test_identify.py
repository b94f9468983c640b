# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which host is the master, and which is or becomes its standby."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import identify
from cases import Hosts, Refusals, assert_refused, three
from observations import (
    DATA,
    FILES,
    FOREIGN,
    FORMER,
    Observation,
    crashed,
    empty,
    frozen,
    master,
    mirrored,
    silent,
    slot,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

MASTERS: dict[str, Hosts] = {
    "the first of two": {"mdw": master(), "smdw": empty()},
    "the second of two": {"smdw": empty(), "mdw": master()},
    "beside what was one": {"smdw": standby(), "sdw1": unreachable(), "mdw": mirrored()},
}


@pytest.mark.parametrize("hosts", MASTERS.values(), ids=MASTERS)
def test_the_one_that_accepts_writes_is_the_master(hosts: Hosts) -> None:
    assert identify.master_of(hosts) == ("mdw", [])


TWICE = master("smdw", {"machine": master()["machine"]})
#: on a timeline that left mdw's
NEWER = {"histories": {"2": [[1, "0/3017F88"]]}, "control.timeline": 2}
NO_MASTER: dict[str, tuple[Hosts, Refusals]] = {
    "two": (
        {"mdw": master(), "smdw": master("smdw")},
        [
            (
                "two-masters",
                "To keep mdw: systemctl stop hawq-master.service on smdw, then ansible-playbook hawq.mirroring",
            )
        ],
    ),
    "one by two names": (
        {"mdw": master(), "smdw": TWICE},
        [("same-machine", "Name another host of the inventory's group masters")],
    ),
    "a frozen one": (
        {"mdw": frozen(master()), "smdw": silent(), "sdw1": crashed()},
        [("no-master", "If mdw is the master, let it go on there (kill -CONT 103 $(pgrep -P 103))")],
    ),
    "one without sessions": (
        {"mdw": silent("mdw"), "smdw": crashed()},
        [("no-master", "sessions out of it (journalctl -u hawq-master.service), or restart it (systemctl restart")],
    ),
    "a stopped one": (
        {"smdw": standby(), "mdw": crashed()},
        [("no-master", "start it there (systemctl start hawq-master.service; if it does not start, journalctl")],
    ),
    "a stopped one that may be lost": (
        {"smdw": standby(), "mdw": crashed()},
        [("no-master", "If it is lost: ansible-playbook hawq.mirroring.failover")],
    ),
    "nothing anywhere": (
        {"mdw": empty("mdw"), "smdw": empty()},
        [("no-master", "ansible-playbook hawq.mirroring.init_master -e master_host=mdw")],
    ),
    "one that cannot be looked at": (
        {"mdw": unreachable(), "smdw": standby()},
        [("no-master", "If it is off for certain: ansible-playbook hawq.mirroring.failover -e master_is_down=true")],
    ),
    "somebody else's files": (
        {"mdw": empty("mdw", FILES), "smdw": empty()},
        [("no-master", "Bring the master up, then run this again")],
    ),
    "A16: both stopped, the standby of before on the newer timeline": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", NEWER)},
        [("no-master", "Start smdw, which has the newest data (timeline 2; mdw has timeline 1), there (systemctl")],
    ),
    "A16: just after the promotion, which only the history file tells": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", {"histories": {"2": [[1, "0/3017F88"]]}})},
        [("no-master", "Start smdw, which has the newest data (timeline 2; mdw has")],
    ),
    "a master of old stopped, and a standby on a newer timeline": (
        {"mdw": stopped("mdw"), "smdw": standby("smdw", {"server.timeline": 2})},
        [("no-master", "smdw has the newest data: ansible-playbook hawq.mirroring.failover")],
    ),
    "a failover that was killed between fence and activation": (
        {"mdw": stopped("mdw", FORMER), "smdw": standby()},
        [("no-master", "smdw has the newest data: ansible-playbook hawq.mirroring.failover")],
    ),
    "nobody but a fenced one": (
        {"mdw": stopped("mdw", FORMER), "smdw": empty()},
        [
            (
                "no-master",
                f"rm {DATA}/standby.signal {DATA}/hawq_mirroring.fence && systemctl start hawq-master.service on",
            )
        ],
    ),
    "a fenced one, and a host that cannot be looked at": (
        {"mdw": stopped("mdw", FORMER), "smdw": unreachable()},
        [("no-master", "Bring smdw up, then run this again")],
    ),
    "a frozen one on an older timeline than a stopped one": (
        {"mdw": frozen(master()), "smdw": stopped("smdw", NEWER)},
        [
            (
                "no-master",
                "on mdw: systemctl stop hawq-master.service, then on smdw: systemctl start hawq-master.service",
            )
        ],
    ),
    "one that a resynchronisation has left half-way": (
        {"mdw": empty("mdw"), "smdw": stopped("smdw", {"data_directory.unfinished": True})},
        [("no-master", "nothing whole is left: restore a backup, or begin anew, after /data/hawq/master on smdw is")],
    ),
    "N3: two systems": (
        {"mdw": master(), "smdw": master("smdw", {"server.system_identifier": FOREIGN})},
        [("several-systems", "Nothing needs to be stopped. Put each system into a group of its own")],
    ),
}


@pytest.mark.parametrize(("hosts", "expected"), NO_MASTER.values(), ids=NO_MASTER)
def test_the_master_cannot_be_said(hosts: Hosts, expected: Refusals) -> None:
    name, refusals = identify.master_of(hosts)
    assert name is None
    assert_refused(refusals, expected)


def test_case_60_of_two_masters_is_told_what_each_has_and_how_it_is_kept() -> None:
    """smdw was promoted by hand, and the address and twelve clients are still with mdw."""
    address = {"address": "10.9.0.100/24", "here": True, "taken": None}
    old = master("mdw", {"virtual_ip": address, "server.clients": 12, "server.current_lsn": "0/4017F88"})
    new = master("smdw", {**NEWER, "server.timeline": 2, "server.clients": 1, "server.current_lsn": "0/3027F88"})
    refusal = identify.master_of({"mdw": old, "smdw": new})[1][0]
    assert refusal.found == (
        "mdw and smdw both accept writes."
        " smdw: timeline 2, runs since 2026-11-23 10:14:16 UTC, 1 client."
        " mdw: timeline 1, runs since 2026-11-23 10:14:16 UTC, 12 clients, has the address 10.9.0.100/24."
        " Their histories part at 0/3017F88, and since then smdw 64 kB and mdw 16 MB of WAL was written;"
        " smdw was made a master there, and is the newer one"
    )
    stop = "systemctl stop hawq-master.service on"
    resync = "ansible-playbook hawq.mirroring.resync_standby"
    assert refusal.command == (
        f"To keep smdw: {stop} mdw, then {resync}. To keep mdw: {stop} smdw, then {resync} -e accept_data_loss=true"
    )


def test_of_two_masters_on_one_timeline_nobody_can_tell_where_they_part() -> None:
    refusal = identify.master_of({"mdw": master(), "smdw": master("smdw")})[1][0]
    assert "Where their histories part cannot be told" in refusal.found


def test_how_a_frozen_server_goes_on() -> None:
    assert identify.thaw(frozen(standby())) == (
        "let it go on there (kill -CONT 104 $(pgrep -P 104)) or restart it (systemctl restart hawq-master.service)"
    )


BOTH = {
    "server.standbys": ["sdw1", "smdw"],
    "server.slots": [slot(), slot("hawq_mirroring_sdw1", active=False, active_pid=None)],
}
AWAITED = {"server.slots": [slot(), slot("hawq_mirroring_sdw1", active=False, active_pid=None)]}
CUT_OFF = {**BOTH, "server.senders": []}


def group(source: Observation, **others: Observation) -> Hosts:
    return three(**{"mdw": source, "smdw": standby(), **others})


STANDBYS: dict[str, tuple[Hosts, str | None, bool, str]] = {
    "the only other host": ({"smdw": empty(), "mdw": master()}, None, False, "smdw"),
    "the named one": (three(), "sdw1", False, "sdw1"),
    "the registered one": (group(mirrored()), None, False, "smdw"),
    "the registered one, named": (group(mirrored()), "smdw", False, "smdw"),
    "one of two that are registered, named": (group(mirrored("mdw", BOTH)), "smdw", False, "smdw"),
    "a former master that is awaited, named": (group(mirrored("mdw", AWAITED)), "sdw1", False, "sdw1"),
    "a former master that is awaited": (group(mirrored("mdw", AWAITED)), None, False, "sdw1"),
    "beside the registered one": (group(mirrored()), "sdw1", True, "sdw1"),
    "of two the one that is not in order": (
        group(mirrored("mdw", BOTH), sdw1=stopped_standby("sdw1")),
        None,
        False,
        "sdw1",
    ),
    "of two that are not in order the one that can be looked at": (
        group(mirrored("mdw", CUT_OFF), sdw1=unreachable()),
        None,
        False,
        "smdw",
    ),
    "the first of two that are in order": (
        group(
            mirrored(
                "mdw",
                {
                    "server.standbys": ["sdw1", "smdw"],
                    "server.slots": [slot(), slot("hawq_mirroring_sdw1")],
                },
            ),
            sdw1=standby("sdw1"),
        ),
        None,
        False,
        "smdw",
    ),
    "a master that still has itself registered": (
        {"mdw": master("mdw", {"server.standbys": ["mdw"]}), "smdw": empty()},
        "smdw",
        False,
        "smdw",
    ),
}


@pytest.mark.parametrize(("hosts", "named", "further", "name"), STANDBYS.values(), ids=STANDBYS)
def test_the_standby_is(hosts: Hosts, named: str | None, further: bool, name: str) -> None:
    assert identify.standby_of(hosts, "mdw", named, further) == (name, [])


GONE = mirrored("mdw", {"server.standbys": ["old"], "server.slots": [slot("hawq_mirroring_old")]})
NO_STANDBY: dict[str, tuple[Hosts, str | None, bool, Refusals]] = {
    "a further one, and none is named": (
        group(mirrored()),
        None,
        True,
        [("host-not-named", "Name it: -e standby_host=smdw or -e standby_host=sdw1")],
    ),
    "the master itself": (
        group(mirrored()),
        "mdw",
        False,
        [("is-the-master", "Name another host of the group masters: -e standby_host=HOST")],
    ),
    "in no inventory": (
        group(mirrored()),
        "smwd",
        False,
        [("not-in-group", "Add it to the group masters, or correct the name, or leave it out: -e standby_host=")],
    ),
    "in no inventory, and registered": (
        {"mdw": GONE, "smdw": empty()},
        "old",
        False,
        [("not-in-group", "Add it to the group masters, or correct the name, or leave it out: -e standby_host=")],
    ),
    "another one is registered": (
        group(mirrored()),
        "sdw1",
        False,
        [("has-a-standby", "To repair smdw: the same without -e standby_host=; beside it: -e additional_standby=true")],
    ),
    "another one is registered, to be replaced or removed": (
        group(mirrored()),
        "sdw1",
        False,
        [
            (
                "has-a-standby",
                "instead of it: -e replace_standby=true; or remove it: ansible-playbook"
                " hawq.mirroring.remove_standby -e standby_host=smdw",
            )
        ],
    ),
    "another one is registered, which is in no inventory": (
        {"mdw": GONE, "smdw": empty()},
        "smdw",
        False,
        [("has-a-standby", "Add old to the inventory's group masters to repair it; beside it: -e additional_standby")],
    ),
    "none is named, and the registered one is in no inventory": (
        {"mdw": GONE, "smdw": empty()},
        None,
        False,
        [
            (
                "has-a-standby",
                "to repair it; or remove it: ansible-playbook hawq.mirroring.remove_standby -e standby_host=old",
            )
        ],
    ),
    "there is no other host": (
        {"mdw": master()},
        None,
        False,
        [("no-host", "Add its host to the inventory's group masters, then run this again")],
    ),
    "one of several that have nothing": (
        three(),
        None,
        False,
        [("several-hosts", "Name it: -e standby_host=smdw or -e standby_host=sdw1")],
    ),
    "one of two that are not in order": (
        group(mirrored("mdw", CUT_OFF), smdw=stopped_standby(), sdw1=stopped_standby("sdw1")),
        None,
        False,
        [("several-hosts", "Name it: -e standby_host=smdw or -e standby_host=sdw1")],
    ),
    "one of two whose hosts are off": (
        group(mirrored("mdw", CUT_OFF), smdw=unreachable(), sdw1=unreachable()),
        None,
        False,
        [("several-hosts", "Name it: -e standby_host=smdw or -e standby_host=sdw1")],
    ),
}


@pytest.mark.parametrize(("hosts", "named", "further", "expected"), NO_STANDBY.values(), ids=NO_STANDBY)
def test_the_standby_cannot_be_said(hosts: Hosts, named: str | None, further: bool, expected: Refusals) -> None:
    name, refusals = identify.standby_of(hosts, "mdw", named, further)
    assert name is None
    assert_refused(refusals, expected)


def test_a_host_that_is_none_of_the_group_is_told_who_is() -> None:
    refusal = identify.not_in_group("smwd", three(), "Correct it")
    assert (refusal.kind, refusal.command) == ("not-in-group", "Correct it")
    assert refusal.found == "smwd is not in the inventory's group masters (mdw, smdw, sdw1)"


def test_of_several_hosts_one_has_to_be_named() -> None:
    refusal = identify.several("there are 2 hosts", "to be the master", "master_host", ["mdw", "smdw"])
    assert refusal.kind == "several-hosts"
    assert refusal.why == "it cannot be said which is to be the master"
    assert refusal.command == "Name it: -e master_host=mdw or -e master_host=smdw"
