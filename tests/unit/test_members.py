# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A master, its standbys, and whether each is let in by every other."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import members
from cases import Hosts
from observations import (
    ADDRESSES,
    HOSTS,
    Observation,
    empty,
    master,
    mirrored,
    slot,
    standby,
    stopped_standby,
    unreachable,
)

PAIR = members.Pair("mdw", "smdw")
TWO = mirrored("mdw", {"server.standbys": ["sdw1", "smdw"]})


def group(sdw1: Observation, mdw: Observation | None = None) -> Hosts:
    return {"mdw": mdw or TWO, "smdw": standby(), "sdw1": sdw1}


MEMBERS: dict[str, tuple[Hosts, list[str]]] = {
    "a pair": ({"mdw": mirrored(), "smdw": standby()}, ["mdw", "smdw"]),
    "its standby is not there yet": ({"mdw": master(), "smdw": empty()}, ["mdw", "smdw"]),
    "a further standby": (group(standby("sdw1")), ["mdw", "smdw", "sdw1"]),
    "a further standby that is stopped": (group(stopped_standby("sdw1")), ["mdw", "smdw", "sdw1"]),
    "a further standby whose host is off": (group(unreachable()), ["mdw", "smdw"]),
    "a further standby that is in no inventory": ({"mdw": TWO, "smdw": standby()}, ["mdw", "smdw"]),
    "a host that is none of them": (group(empty("sdw1"), mirrored()), ["mdw", "smdw"]),
    "registered as its own standby": (
        {"mdw": mirrored("mdw", {"server.standbys": ["mdw", "smdw"]}), "smdw": standby()},
        ["mdw", "smdw"],
    ),
}


@pytest.mark.parametrize(("hosts", "names"), MEMBERS.values(), ids=MEMBERS)
def test_who_they_are(hosts: Hosts, names: list[str]) -> None:
    assert members.of(hosts, PAIR) == names


THERE: dict[str, tuple[Observation | None, bool]] = {
    "in no inventory": (None, False),
    "off": (unreachable(), False),
    "without data": (empty(), False),
    "running": (standby(), True),
}


@pytest.mark.parametrize(("seen", "there"), THERE.values(), ids=THERE)
def test_who_is_there_with_data(seen: Observation | None, there: bool) -> None:
    assert members.is_there(seen) is there


def lines(*addresses: str) -> list[str]:
    return [f"host replication hawq_mirroring {address}/32 scram-sha-256" for address in addresses]


def lines_of(*names: str) -> list[str]:
    return lines(*(ADDRESSES[name] for name in names))


LINES: dict[str, tuple[Hosts, list[str]]] = {
    "a pair": ({"mdw": mirrored(), "smdw": standby()}, lines_of("mdw", "smdw")),
    "a further standby": (group(standby("sdw1")), lines_of("mdw", "smdw", "sdw1")),
    "a further standby is away, its line stays": (
        group(unreachable(), mirrored("mdw", {"server.standbys": ["sdw1", "smdw"], "blocks.access": lines_of("sdw1")})),
        lines_of("mdw", "smdw", "sdw1"),
    ),
    "a further standby is away, and there never was a line": (
        group(unreachable(), mirrored("mdw", {"server.standbys": ["sdw1", "smdw"], "blocks.access": None})),
        lines_of("mdw", "smdw"),
    ),
    "a line that nobody needs goes": (
        group(empty("sdw1"), mirrored("mdw", {"blocks.access": lines_of("sdw1")})),
        lines_of("mdw", "smdw"),
    ),
}


@pytest.mark.parametrize(("hosts", "expected"), LINES.values(), ids=LINES)
def test_the_lines_that_let_them_in(hosts: Hosts, expected: list[str]) -> None:
    assert members.hba_lines(hosts, HOSTS, PAIR, {"replication_user": "hawq_mirroring"}) == expected


def test_the_lines_between_hosts_name_these_alone() -> None:
    hosts = group(standby("sdw1"))
    assert members.lines_between(hosts, HOSTS, ["mdw", "sdw1"], "hawq_mirroring") == lines_of("mdw", "sdw1")
    assert members.lines_between(hosts, HOSTS, ["mdw"], "hawq_mirroring") == []


SEEN: dict[str, tuple[Observation, Observation, dict[str, t.Any], list[str]]] = {
    "as each leaves for the other": (mirrored(), standby(), HOSTS, ["10.9.0.2", "10.9.0.3"]),
    "a host that has not looked": (mirrored(), standby("smdw", {"probes": {}}), HOSTS, ["10.9.0.2"]),
    "the inventory's address, when the host has it": (
        mirrored(),
        standby("smdw", {"probes": {}}),
        {**HOSTS, "smdw": {"address": "10.9.0.3", "port": 5432}},
        ["10.9.0.2", "10.9.0.3"],
    ),
    "several ways there": (
        mirrored("mdw", {"probes.smdw.sources": ["10.9.0.2", "fd00::2"]}),
        standby(),
        HOSTS,
        ["10.9.0.2", "10.9.0.3", "fd00::2"],
    ),
    "what a host looked at beside them": (
        mirrored("mdw", {"probes.sdw1.sources": ["192.0.2.1"]}),
        standby(),
        HOSTS,
        ["10.9.0.2", "10.9.0.3"],
    ),
}


@pytest.mark.parametrize(("mdw", "smdw", "places", "addresses"), SEEN.values(), ids=SEEN)
def test_addresses_are_those_that_each_host_sees_itself(
    mdw: Observation, smdw: Observation, places: dict[str, t.Any], addresses: list[str]
) -> None:
    assert members.addresses({"mdw": mdw, "smdw": smdw}, places, ["mdw", "smdw"]) == addresses


LOGIN = [mirrored("mdw", {"ssh.restricted": []}), standby("smdw", {"ssh.restricted": []})]
KEYS: dict[str, tuple[list[Observation], bool]] = {
    "nobody else": ([mirrored()], False),
    "each knows the other": ([mirrored(), standby()], False),
    "all three know each other": ([mirrored(), standby(), standby("sdw1")], False),
    "one is not let in": ([mirrored(), standby("smdw", {"ssh.authorized": ["sdw1-key"]})], True),
    "one has no key": ([mirrored("mdw", {"ssh.public_key": None}), standby()], True),
    "one does not know the other's host": ([mirrored("mdw", {"ssh.known": []}), standby()], True),
    "one has got a further host key": (
        [mirrored(), standby("smdw", {"ssh.host_keys": ["smdw-host-key", "another"]})],
        True,
    ),
}


@pytest.mark.parametrize(("seen", "needed"), KEYS.values(), ids=KEYS)
def test_whether_they_need_keys(seen: list[Observation], needed: bool) -> None:
    assert members.needs_ssh_keys(seen, True) is needed


def test_keys_of_an_earlier_version_are_good_for_a_login_and_are_replaced() -> None:
    assert members.needs_ssh_keys(LOGIN, True)
    assert not members.needs_ssh_keys(LOGIN, False)
    assert members.needs_ssh_keys([mirrored(), standby()], False)


SERVERS = [["mdw", "5432"], ["smdw", "5432"]]
PASSWORDS: dict[str, tuple[list[Observation], bool]] = {
    "proven on both": ([mirrored(), standby()], False),
    "a file is open to others": ([mirrored(), standby("smdw", {"credentials.private": False})], True),
    "two passwords in one file": ([mirrored(), standby("smdw", {"credentials.consistent": False})], True),
    "one server is missing": ([mirrored("mdw", {"credentials.servers": SERVERS[:1]}), standby()], True),
    "a further server is there": (
        [mirrored("mdw", {"credentials.servers": [*SERVERS, ["sdw1", "5432"]]}), standby()],
        False,
    ),
    "the master has another one": ([mirrored("mdw", {"credentials.accepted": False}), standby()], True),
    "nobody could ask the master": ([mirrored("mdw", {"credentials.accepted": None}), standby()], True),
    "the login is refused": ([mirrored(), standby("smdw", {"credentials.login": "no"})], True),
    "nobody has tried the login": ([mirrored(), standby("smdw", {"credentials.login": None})], True),
}


@pytest.mark.parametrize(("seen", "needed"), PASSWORDS.values(), ids=PASSWORDS)
def test_whether_they_need_the_password(seen: list[Observation], needed: bool) -> None:
    assert members.needs_passwords(seen, SERVERS) is needed


WITHOUT_SLOTS = {"engine": "hawq2", "server.slots": []}
SOURCES: dict[str, tuple[Observation, bool]] = {
    "all is there": (mirrored(), True),
    "not registered": (mirrored("mdw", {"server.standbys": []}), False),
    "registered by another name": (mirrored("mdw", {"server.master_name": "smdw"}), False),
    "no slot": (mirrored("mdw", {"server.slots": []}), False),
    "another slot": (mirrored("mdw", {"server.slots": [slot("other")]}), False),
    "the slot is lost": (mirrored("mdw", {"server.slots": [slot(lost=True, wal="lost")]}), False),
    "an engine without slots": (mirrored("mdw", WITHOUT_SLOTS), True),
    "the role has another password": (mirrored("mdw", {"credentials.accepted": False}), False),
    "it is not known whether the role has it": (mirrored("mdw", {"credentials.accepted": None}), False),
    "lines not loaded": (mirrored("mdw", {"server.access_stale": True}), False),
}


@pytest.mark.parametrize(("source", "made"), SOURCES.values(), ids=SOURCES)
def test_whether_the_master_is_a_source_already(source: Observation, made: bool) -> None:
    assert members.is_source("mdw", source, ["smdw"], "hawq_mirroring_smdw") is made
