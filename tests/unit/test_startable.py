# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a dry start on the standby's host has shown, as it was recorded there, and what is refused for it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import listens, mirror, startable
from cases import DIVERGED, Refusals, activated, assert_refused, divergence, resync, rows
from observations import (
    FORMER,
    GIGABYTE,
    change,
    empty,
    master,
    mirrored,
    set_to,
    slot,
    standby,
    stopped,
    stopped_standby,
)

#: of a host that has all that it takes
WELL: dict[str, t.Any] = {
    "error": None,
    "places": [],
    "memory_bytes": 149946368,
    "host_memory_bytes": 8 * GIGABYTE,
    "huge_pages": None,
    "free_huge_pages": None,
    "segment_limit_bytes": None,
    "segments_limit_bytes": None,
    "dynamic_free_bytes": 4 * GIGABYTE,
    "ring_refused": None,
    "listens": [{"word": "*", "addresses": ["0.0.0.0", "::"], "able": True}],
    "data_directory": None,
}
NO_LIBRARY = 'FATAL: could not access file "nosuch": No such file or directory'
ADDRESS = {"address": "10.9.0.100/24", "here": False, "taken": None}


def place(setting: str, path: str, wanted: str, trouble: str) -> dict[str, t.Any]:
    return {"setting": setting, "path": path, "wanted": wanted, "starts": True, "trouble": trouble}


def word(name: str, *addresses: str, able: bool = True) -> dict[str, t.Any]:
    return {"word": name, "addresses": list(addresses), "able": able}


def found(trial: dict[str, t.Any], **overrides: t.Any) -> list[t.Any]:
    seen = change(empty("smdw"), {"trial": {**WELL, **trial}, **overrides})
    return startable.refusals("smdw", seen, "mdw", master())


KEY = "/etc/ssl/private/server.key"
REFUSED: dict[str, tuple[dict[str, t.Any], Refusals]] = {
    "no io_uring": (
        {"ring_refused": "Operation not permitted"},
        [("would-not-start", "on smdw: sysctl -w kernel.io_uring_disabled=0")],
    ),
    "all is well": ({}, []),
    "66: a library that is preloaded": ({"error": NO_LIBRARY}, [("would-not-start", "Mend that on smdw")]),
    "67: a certificate is missing": (
        {"places": [place("ssl_cert_file", "/etc/ssl/server.crt", "read", "missing")]},
        [
            (
                "named-place",
                "or one of its own, there, readable for gpadmin: scp -3 -p mdw:/etc/ssl/server.crt smdw:/etc",
            )
        ],
    ),
    "67: of what the server says of a file itself too one is told": (
        {
            "error": 'FATAL: could not load server certificate file "/etc/ssl/server.crt": No such file or directory',
            "places": [place("ssl_cert_file", "/etc/ssl/server.crt", "read", "missing")],
        },
        [("named-place", "scp -3")],
    ),
    "67: a key that a group may read": (
        {"places": [place("ssl_key_file", KEY, "private", "too open")]},
        [("named-place", f"on smdw: chown gpadmin {KEY} && chmod 600 {KEY}")],
    ),
    "67: a key that cannot be read": (
        {"places": [place("ssl_key_file", KEY, "private", "closed")]},
        [("named-place", f"chown gpadmin {KEY}")],
    ),
    "67: no directory for logs": (
        {"places": [place("log_directory", "/srv/log/pg", "make", "missing")]},
        [("named-place", "on smdw: install -d -o gpadmin -m 700 /srv/log/pg")],
    ),
    "67: a file in a directory's place": (
        {"places": [place("unix_socket_directories", "/srv/sockets", "write", "no directory")]},
        [("named-place", "on smdw: ls -ld /srv/sockets")],
    ),
    "a program that archives": (
        {"places": [place("archive_command", "/usr/local/bin/archive", "run", "missing")]},
        [("named-place", "scp -3 -p mdw:/usr/local/bin/archive smdw:/usr/local/bin/archive")],
    ),
    "too little memory": ({"memory_bytes": 9 * GIGABYTE}, [("memory-too-small", "set less in the master's")]),
    "huge pages": (
        {"huge_pages": 72, "free_huge_pages": 10},
        [("memory-too-small", "sysctl -w vm.nr_hugepages=$(expr $(sysctl -n vm.nr_hugepages) + 62)")],
    ),
    "enough huge pages": ({"huge_pages": 72, "free_huge_pages": 72}, []),
    "a small segment of System V": (
        {"segment_limit_bytes": 32 << 20, "segments_limit_bytes": 8 * GIGABYTE},
        [("memory-too-small", "sysctl -w kernel.shmmax=149946368, then run")],
    ),
    "few pages for segments of System V": (
        {"segment_limit_bytes": 1 << 62, "segments_limit_bytes": 32 << 20},
        [("memory-too-small", "sysctl -w kernel.shmall=$(expr 149946368 / $(getconf PAGE_SIZE) + 1), then run")],
    ),
    "both": (
        {"segment_limit_bytes": 32 << 20, "segments_limit_bytes": 64 << 20},
        [("memory-too-small", "sysctl -w kernel.shmmax=149946368 kernel.shmall=$(expr")],
    ),
    "segments of System V that are large enough": (
        {"segment_limit_bytes": 149946368, "segments_limit_bytes": 1 << 62},
        [],
    ),
    "no room for files of shared memory": (
        {"dynamic_free_bytes": 4096},
        [("memory-too-small", "on smdw: mount -o remount,size=50% /dev/shm")],
    ),
    "not looked for by an earlier version": (
        {"segment_limit_bytes": None, "segments_limit_bytes": None, "dynamic_free_bytes": None},
        [],
    ),
    "memory is not known": ({"memory_bytes": None, "host_memory_bytes": None}, []),
    "another data directory": (
        {"data_directory": "/var/lib/postgresql/15/main"},
        [("other-data-directory", "-e data_directory_path=/var/lib/postgresql/15/main")],
    ),
    "the same data directory": ({"data_directory": "/data/hawq/master/"}, []),
    "83: a name that is a loopback address there": (
        {"listens": [word("localhost", "127.0.0.1"), word("smdw", "127.0.1.1")]},
        [("listens-elsewhere", "Correct /etc/hosts on smdw (getent ahosts smdw must not say 127.0.1.1)")],
    ),
    "83: an address that only the master has": (
        {"listens": [word("10.9.0.9", "10.9.0.9", able=False)]},
        [("listens-elsewhere", "Take 10.9.0.9 out of listen_addresses on the master")],
    ),
    "83: a name that nobody knows there": (
        {"listens": [word("db.example", able=False)]},
        [("listens-elsewhere", "getent ahosts db.example")],
    ),
    "83: its own address": ({"listens": [word("smdw", "10.9.0.3")]}, []),
    "83: itself only is for another check": ({"listens": [word("localhost", "127.0.0.1")]}, []),
    "83: all addresses beside another one": ({"listens": [*WELL["listens"], word("10.9.0.9", able=False)]}, []),
    "several": (
        {"error": NO_LIBRARY, "places": [place("hba_file", "/etc/hba", "read", "missing")], "memory_bytes": 1 << 50},
        [("would-not-start", ""), ("named-place", ""), ("memory-too-small", "")],
    ),
}


@pytest.mark.parametrize(("trial", "expected"), rows(REFUSED))
def test_what_would_keep_a_copy_from_starting(trial: dict[str, t.Any], expected: Refusals) -> None:
    assert_refused(found(trial), expected)


def test_the_address_that_follows_the_master_is_not_there_when_a_standby_starts() -> None:
    trial = {"listens": [word("localhost", "127.0.0.1"), word("10.9.0.100", "10.9.0.100", able=False)]}
    (refusal,) = found(trial, virtual_ip=ADDRESS)
    assert listens.NONLOCAL in refusal.command
    trial["listens"][1]["able"] = True  # net.ipv4.ip_nonlocal_bind
    assert found(trial, virtual_ip=ADDRESS) == []


def test_what_was_not_tried_is_no_refusal() -> None:
    seen = empty("smdw")
    assert startable.refusals("smdw", seen, "mdw", master()) == []
    del seen["trial"]
    assert startable.refusals("smdw", seen, "mdw", master()) == []


def test_a_server_that_ends_before_holds_huge_pages() -> None:
    assert found({"huge_pages": 72, "free_huge_pages": 0}, **{"process.running": True}) == []


def test_the_words_name_the_configuration_that_counts() -> None:
    outside = {"configuration.path": "/etc/pg", "configuration.outside": True, "configuration.exists": True}
    assert "its configuration in /etc/pg does not start" in found({"error": NO_LIBRARY}, **outside)[0].found
    assert "the configuration of mdw does not start" in found({"error": NO_LIBRARY})[0].found


OPTIONS: dict[str, t.Any] = {
    "existing_data": "refuse",
    "tablespace_mapping": {},
    "binaries_method": "packages",
    "wal_keep_megabytes": 1024,
    "master_restart_allowed": False,
    "view_databases": [],
    "replication_user": "hawq_mirroring",
}
WHO: dict[str, tuple[t.Any, bool, list[str], list[str]]] = {
    "nothing is copied": (stopped(), False, [], []),
    "all is there": (empty(), True, ["mdw", "smdw"], []),
    "no programs yet": (empty("smdw", {"binaries.missing": ["postgres"]}), True, [], ["mdw", "smdw"]),
    "no user yet": (empty("smdw", {"user.exists": False}), True, [], ["mdw", "smdw"]),
    "it was tried": (empty("smdw", {"trial": WELL}), True, [], []),
}


@pytest.mark.parametrize(("seen", "snapshot", "now", "late"), rows(WHO))
def test_who_is_asked_and_when(seen: t.Any, snapshot: bool, now: list[str], late: list[str]) -> None:
    hosts = {name: {"address": name, "port": 5432} for name in ("mdw", "smdw")}
    pair = mirror.members.Pair("mdw", "smdw")
    _plan, steps, _refusals = mirror.plan({"mdw": master(), "smdw": seen}, hosts, OPTIONS, pair, snapshot)
    assert (steps["trial"], steps["trial_late"]) == (now, late)


GONE = {"named": [place("ssl_ca_file", "/etc/ca.crt", "read", "missing")]}
TRIED = {"trial": {**WELL, "error": NO_LIBRARY}}
LOST = mirrored("mdw", {"server.senders": [], "server.slots": [slot(active=False, active_pid=None, lost=True)]})
AWAY = mirrored("mdw", {"server.senders": [], "server.slots": [slot(active=False, active_pid=None)]})
#: what is there, the master, the comparison, who tries it, what is refused
WAYS: dict[str, tuple[t.Any, t.Any, t.Any, list[str], list[str]]] = {
    "one that is only started has its own configuration": (stopped_standby(), AWAY, None, [], []),
    "something that it names has vanished": (stopped_standby("smdw", GONE), AWAY, None, [], ["named-place"]),
    "one that runs is not started": (standby("smdw", GONE), mirrored(), None, [], []),
    "a delta brings the master's along": (stopped_standby("smdw", GONE), LOST, None, ["mdw", "smdw"], []),
    "it was tried before a delta": (stopped_standby("smdw", {"trial": WELL}), LOST, None, [], []),
    "it would not start after a delta": (stopped_standby("smdw", TRIED), LOST, None, [], ["would-not-start"]),
    "no programs yet": (stopped_standby("smdw", {"binaries.missing": ["postgres"]}), LOST, None, [], []),
    "a former master is compared first": (stopped("smdw", {**FORMER, **GONE}), activated(), None, [], []),
    "a rewind brings the master's along": (
        stopped("smdw", {**FORMER, **GONE}),
        activated(),
        DIVERGED,
        ["mdw", "smdw"],
        [],
    ),
    "it would not start after a rewind": (
        stopped("smdw", {**FORMER, **TRIED}),
        activated(),
        DIVERGED,
        [],
        ["would-not-start"],
    ),
    "a former master with nothing of its own is only started": (
        stopped("smdw", {**FORMER, **GONE}),
        activated(),
        divergence(),
        [],
        ["named-place"],
    ),
}


@pytest.mark.parametrize(("seen", "source", "found", "asked", "expected"), rows(WAYS))
def test_before_old_data_is_changed_in_its_place(
    seen: t.Any, source: t.Any, found: t.Any, asked: list[str], expected: list[str]
) -> None:
    plan, refusals = resync({"mdw": source, "smdw": seen}, {"divergence": found})
    assert [each.kind for each in refusals] == expected
    assert expected or [*plan["steps"]["trial"], *plan["steps"]["trial_late"]] == asked


LISTENS: dict[str, tuple[dict[str, t.Any], str | None]] = {
    "everywhere": ({}, None),
    "83: its own name is a loopback address": (
        {**set_to(listen_addresses="localhost,smdw"), "bound": ["127.0.0.1", "127.0.1.1"]},
        "listen_addresses on smdw is localhost, smdw, and its server listens at 127.0.0.1, 127.0.1.1 only",
    ),
    "at its own address": ({**set_to(listen_addresses="smdw"), "bound": ["10.9.0.3"]}, None),
    "the address that follows the master": (
        {**set_to(listen_addresses="10.9.0.3,10.9.0.100"), "bound": ["10.9.0.3"], "virtual_ip": ADDRESS},
        "and not at 10.9.0.100, which follows the master",
    ),
    "the kernel lets it listen there": (
        {**set_to(listen_addresses="10.9.0.100"), "bound": ["10.9.0.100"], "virtual_ip": ADDRESS},
        None,
    ),
    "itself only, as it is told": ({**set_to(listen_addresses="localhost"), "bound": ["127.0.0.1"]}, None),
    "not known": ({**set_to(listen_addresses="smdw"), "bound": []}, None),
    "no session": ({"server": None, "bound": ["127.0.0.1"]}, None),
}


@pytest.mark.parametrize(("overrides", "expected"), rows(LISTENS))
def test_where_a_server_listens(overrides: dict[str, t.Any], expected: str | None) -> None:
    said = listens.wrong("smdw", standby("smdw", overrides))
    assert (expected in (said or "")) if expected else said is None
    assert bool(listens.running("smdw", standby("smdw", overrides))) is bool(expected)
