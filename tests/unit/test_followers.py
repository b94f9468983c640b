# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which standbys follow whom, and which must be told to follow another master."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import followers
from cases import Hosts
from observations import (
    FOLLOWED,
    FOREIGN,
    FORMER,
    HOSTS,
    Observation,
    crashed,
    empty,
    frozen,
    master,
    mirrored,
    mute,
    standby,
    stopped_standby,
    unreachable,
)

SDW1 = {"sdw1": "hawq_mirroring_sdw1"}
FENCED = FORMER
OTHERS: dict[str, tuple[Observation, dict[str, str]]] = {
    "a running standby": (standby("sdw1"), SDW1),
    "a standby of another system": (standby("sdw1", {"server.system_identifier": FOREIGN}), {}),
    "a former master that was booted": (standby("sdw1", FENCED), {}),
    "one that gives no session": (mute("sdw1"), SDW1),
    "a former master that follows by now": (standby("sdw1", FOLLOWED), SDW1),
    "a stopped standby": (stopped_standby("sdw1"), {}),
    "a frozen standby": (frozen(standby("sdw1")), {}),
    "a host that has nothing": (empty("sdw1"), {}),
    "a host that is off": (unreachable(), {}),
}


@pytest.mark.parametrize(("sdw1", "found"), OTHERS.values(), ids=OTHERS)
def test_who_can_be_told_to_follow(sdw1: Observation, found: dict[str, str]) -> None:
    hosts = {"mdw": crashed(), "smdw": standby(), "sdw1": sdw1}
    assert followers.followers(hosts, "mdw", "smdw") == found


#: smdw has been activated, and sdw1 was its fellow standby
ACTIVATED = {"server.timeline": 2, "server.standbys": ["sdw1", "smdw"]}
BEHIND: dict[str, tuple[Observation, Observation, dict[str, str]]] = {
    "follows the old master": (master("smdw", ACTIVATED), standby("sdw1"), SDW1),
    "follows the new one": (master("smdw", ACTIVATED), standby("sdw1", {"follows.host": "smdw"}), {}),
    "follows a stranger": (master("smdw", ACTIVATED), standby("sdw1", {"follows.host": "10.1.1.1"}), {}),
    "is on the new timeline": (master("smdw", ACTIVATED), standby("sdw1", {"server.timeline": 2}), {}),
    "is not registered": (master("smdw", {"server.timeline": 2}), standby("sdw1"), {}),
    "is stopped": (master("smdw", ACTIVATED), stopped_standby("sdw1"), {}),
    "gives no session": (master("smdw", ACTIVATED), mute("sdw1"), SDW1),
    "was fenced and has followed": (master("smdw", ACTIVATED), standby("sdw1", FOLLOWED), SDW1),
    "is told the new one's address": (
        master("smdw", ACTIVATED),
        standby("sdw1", {"follows.host": "10.9.0.3"}),
        {},
    ),
    "is fenced": (master("smdw", ACTIVATED), standby("sdw1", FENCED), {}),
}


@pytest.mark.parametrize(("smdw", "sdw1", "found"), BEHIND.values(), ids=BEHIND)
def test_who_was_left_behind(smdw: Observation, sdw1: Observation, found: dict[str, str]) -> None:
    hosts = {"mdw": crashed(), "smdw": smdw, "sdw1": sdw1}
    assert followers.left_behind(hosts, HOSTS, "smdw") == found


AFTER: dict[str, tuple[Observation, dict[str, str], list[str]]] = {
    "a pair": (standby("smdw", {"server.standbys": ["smdw"]}), {}, []),
    "those that follow": (standby(), SDW1, ["sdw1"]),
    "those that could not be looked at": (standby("smdw", {"server.standbys": ["sdw1", "smdw"]}), {}, ["sdw1"]),
    "neither the old nor the new one": (standby("smdw", {"server.standbys": ["mdw", "sdw2", "smdw"]}), {}, ["sdw2"]),
    "no session tells": (stopped_standby(), SDW1, ["sdw1"]),
    "it gives no session": (mute(), SDW1, ["sdw1"]),
}


@pytest.mark.parametrize(("smdw", "further", "names"), AFTER.values(), ids=AFTER)
def test_who_is_registered_with_the_new_master(smdw: Observation, further: dict[str, str], names: list[str]) -> None:
    assert followers.standbys_after(smdw, "smdw", "mdw", further) == names


def test_who_cannot_be_told() -> None:
    hosts = {"smdw": mirrored("smdw"), "sdw1": standby("sdw1"), "sdw2": unreachable()}
    assert followers.untold(hosts, ["old", "sdw1", "sdw2"], SDW1) == {
        "old": "not in the group masters",
        "sdw2": "not reachable by SSH (Connection timed out)",
    }


NOBODY = {"host": None, "port": None, "user": None}
PLACES: dict[str, tuple[Observation, tuple[str | None, int], str | None]] = {
    "by its configuration": (standby("smdw", {"follows.host": "sdw1"}), ("sdw1", 5432), "sdw1"),
    "stopped": (stopped_standby(), ("mdw", 5432), "mdw"),
    "by what its receiver is connected to": (standby("smdw", {"follows": NOBODY}), ("mdw", 5432), "mdw"),
    "another port": (standby("smdw", {"follows.port": 5433}), ("mdw", 5433), None),
    "no port": (stopped_standby("smdw", {"follows.port": None}), ("mdw", 5432), "mdw"),
    "a stranger": (standby("smdw", {"follows.host": "10.1.1.1"}), ("10.1.1.1", 5432), None),
    "nobody": (standby("smdw", {"follows": NOBODY, "server.receiver": None}), (None, 5432), None),
    "nobody, stopped": (stopped_standby("smdw", {"follows": NOBODY}), (None, 5432), None),
}


@pytest.mark.parametrize(("seen", "place", "name"), PLACES.values(), ids=PLACES)
def test_whom_a_standby_is_told_to_follow(seen: Observation, place: tuple[str | None, int], name: str | None) -> None:
    assert followers.told(seen) == place
    assert followers.followed_by(seen, HOSTS) == name


def test_nobody_is_left_behind_by_a_master_of_old() -> None:
    hosts: Hosts = {"mdw": mirrored(), "smdw": standby()}
    assert followers.left_behind(hosts, HOSTS, "mdw") == {}


#: the inventory reaches mdw at an address that its standby was not told (A15)
MOVED = {**HOSTS, "mdw": {"address": "192.0.2.7", "port": 5432}}
TOLD: dict[str, tuple[str, Observation, str | None]] = {
    "its name in the inventory, its host is off": ("mdw", unreachable(), "mdw"),
    "its own name for itself": ("db1", crashed({"machine.hostname": "db1"}), "mdw"),
    "one of its addresses": ("10.9.0.2", crashed(), "mdw"),
    "the new address": ("192.0.2.7", unreachable(), "mdw"),
    "an address that nobody has": ("10.9.0.2", unreachable(), None),
    "a name that two hosts have": ("smdw-id", crashed({"machine.hostname": "smdw-id"}), None),
}


@pytest.mark.parametrize(("host", "mdw", "name"), TOLD.values(), ids=TOLD)
def test_whom_it_follows_when_the_inventory_has_another_address(host: str, mdw: Observation, name: str | None) -> None:
    sdw1 = empty("sdw1", {"machine.hostname": "smdw-id"})
    seen = standby("smdw", {"follows.host": host})
    found = {"mdw": mdw, "smdw": seen, "sdw1": sdw1}
    assert followers.followed_by(seen, MOVED, found) == name
    other_port = standby("smdw", {"follows.host": host, "follows.port": 6000})
    assert followers.followed_by(other_port, MOVED, found) is None


DOMAINS = {"mdw.example.org": {"address": "mdw.example.org", "port": 5432}, "smdw.example.org": HOSTS["smdw"]}


@pytest.mark.parametrize(
    ("told", "found"),
    [("mdw", "mdw.example.org"), ("MDW.other.example", "mdw.example.org"), ("mdw2", None), ("10.1.1.1", None)],
)
def test_a_name_is_known_without_its_domain(told: str, found: str | None) -> None:
    """N10: the inventory has whole names now, and the host that was followed is off."""
    seen = standby("smdw", {"follows.host": told})
    group = {"mdw.example.org": unreachable(), "smdw.example.org": seen}
    assert followers.followed_by(seen, DOMAINS, group) == found
