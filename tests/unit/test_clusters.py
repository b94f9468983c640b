# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several clusters in one inventory: which one is meant, what commands say, what all of them look like together."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.state import clusters as states
from ansible_collections.hawq.mirroring.plugins.module_utils.report import clusters as report
from ansible_collections.hawq.mirroring.plugins.module_utils.values import clusters
from ansible_collections.hawq.mirroring.plugins.module_utils.values.command import inventory_in_use, playbook
from observations import FOREIGN, OWN, master, mirrored, standby, stopped_standby

ONE = {"all": ["mdw", "smdw"], "masters": ["mdw", "smdw"]}
TWO = {"a_masters": ["m1", "m2"], "b_masters": ["m3"], "b_segments": ["s1"], "empty_masters": []}
BOTH = {**ONE, **TWO}

CHOICES: dict[str, tuple[t.Any, str | None, bool, list[str | None]]] = {
    "the groups without a name": (ONE, None, False, [None]),
    "the same for the state": (ONE, None, True, [None]),
    "all of one is that one": (ONE, "all", True, [None]),
    "one of two": (TWO, "b", False, ["b"]),
    "one of two for the state": (TWO, "b", True, ["b"]),
    "every one for the state": (TWO, None, True, ["a", "b"]),
    "every one, said": (TWO, "all", True, ["a", "b"]),
    "the group without a name goes first": (BOTH, None, True, [None]),
    "every one beside the group without a name": (BOTH, "all", True, ["a", "b"]),
    "one that is called all": ({"all_masters": ["m1"]}, "all", False, ["all"]),
}


@pytest.mark.parametrize(("groups", "given", "every", "expected"), CHOICES.values(), ids=CHOICES)
def test_which_cluster_is_meant(groups: t.Any, given: str | None, every: bool, expected: list[str | None]) -> None:
    assert clusters.chosen(groups, given, every) == expected


WRONG: dict[str, tuple[t.Any, str | None, bool, str]] = {
    "none is named": (TWO, None, False, "clusters a, b: say which one, -e cluster=a or -e cluster=b"),
    "the only one is not named": ({"a_masters": ["m"]}, None, False, "the cluster a: say which one, -e cluster=a"),
    "no such cluster": (TWO, "c", False, "the group c_masters, and the inventory has none: it has the clusters a, b"),
    "no cluster has a name": (ONE, "c", False, "it has no cluster with a name"),
    "an empty group": (TWO, "empty", True, "the group empty_masters, and the inventory has none"),
    "a pattern": (TWO, "*", True, "the group *_masters, and the inventory has none"),
    "all, to change something": (TWO, "all", False, "cluster=all is for state.yml only"),
    "nothing at all": ({"all": ["x"], "ungrouped": ["x"]}, None, True, "no hosts in the group masters. Put the hosts"),
    "a misspelt group": (
        {"all": ["x"], "master": ["x"]},
        None,
        True,
        "masters (its groups are: master). Put the hosts",
    ),
}


@pytest.mark.parametrize(("groups", "given", "every", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_said(groups: t.Any, given: str | None, every: bool, words: str) -> None:
    with pytest.raises(clusters.WrongClusterError) as error:
        clusters.chosen(groups, given, every)
    assert words in str(error.value)


def test_a_host_of_two_clusters_would_have_the_variables_of_both() -> None:
    said = clusters.shared({"a_masters": ["m1", "m2"], "b_masters": ["m2", "m3"]}, ["a"])
    assert said is not None
    assert "m2 is in the groups a_masters and b_masters" in said
    assert "m2-b with ansible_host=m2 in b_masters" in said
    assert clusters.shared({"a_masters": ["m1"], "b_masters": ["m1"]}, ["b"])
    assert clusters.shared(TWO, ["a", "b"]) is None
    above = {"eu_masters": ["m1", "m2", "m3"], "eu_a_masters": ["m1", "m2"]}
    assert clusters.shared(above, ["eu_a"]) is None
    assert clusters.shared(BOTH, [None]) is None


def test_the_cluster_of_a_host() -> None:
    assert clusters.of_host(TWO, ["a", "b"], "m3") == clusters.of_host(TWO, ["a", "b"], "s1") == "b"
    assert clusters.of_host(ONE, [None], "mdw") is None
    assert clusters.hosts(TWO, "b") == {"masters": ["m3"], "segments": ["s1"], "witnesses": []}


def test_who_only_bears_witness() -> None:
    groups = {**TWO, "b_witnesses": ["w1", "s1"]}
    assert clusters.hosts(groups, "b")["witnesses"] == ["w1"]
    assert clusters.of_host(groups, ["a", "b"], "w1") == "b"
    assert clusters.lost_together(groups, ["a", "b"]) is None
    said = clusters.lost_together({**groups, "b_witnesses": ["w1", "m3"]}, ["a", "b"])
    assert clusters.hosts({**groups, "b_witnesses": ["w1", "m3"]}, "b")["witnesses"] == ["w1"]
    assert said is not None
    assert said.startswith("m3 is in the groups b_masters and b_witnesses")


def test_every_command_names_the_cluster() -> None:
    with inventory_in_use(["hosts.yml"], "b"):
        said = str(playbook("failover", master_is_down=True))
    assert said == "ansible-playbook -i hosts.yml hawq.mirroring.failover -e cluster=b -e master_is_down=true"
    assert str(playbook("state")) == "ansible-playbook hawq.mirroring.state"


def test_every_group_is_that_of_the_cluster() -> None:
    with inventory_in_use([], "b"):
        verdict = cases.removal({"mdw": mirrored(), "smdw": standby()}, {"standby_host": "mdw"})
        document = cases.state({"mdw": mirrored(), "sdw1": standby("sdw1")}, {})
        several = cases.state({"mdw": master(), "smdw": master("smdw", {"server.system_identifier": "7"})}, {})
    assert "cluster=b" not in verdict.refusals[0].command
    assert any("inventory's group b_masters" in row["text"] for row in document["problems"])
    assert "instead of the group b_masters" in several["problems"][0]["command"]


def test_all_clusters_together() -> None:
    well = cases.state({"mdw": mirrored(), "smdw": standby()}, {})
    ill = cases.state({"mdw": mirrored(), "smdw": stopped_standby()}, {})
    found = states.together({"a": well, "b": ill})
    assert found["clusters"] == {"a": well, "b": ill}
    assert {row["cluster"] for row in found["problems"]} == {"b"}
    assert (found["exit_code"], found["healthy"]) == (ill["exit_code"], False)
    assert states.together({"a": well})["healthy"] == well["healthy"]
    lines = report.text(found).splitlines()
    assert lines[1] == "  Cluster a                          = Synchronized, master mdw, standby smdw"
    assert lines[2].startswith("  Cluster b                          = ")
    assert lines[-1].endswith("ansible-playbook hawq.mirroring.state -e cluster=b")


def test_a_standby_of_another_system_is_not_taken_away() -> None:
    other = standby("sdw1", {"server.system_identifier": FOREIGN, "follows_slot": "hawq_mirroring_sdw1"})
    document = cases.state({"mdw": mirrored(), "smdw": standby(), "sdw1": other}, {})
    (note,) = document["notes"]
    assert (note["kind"], note["host"]) == ("unregistered", "sdw1")
    assert f"system {OWN}: mdw (a master that accepts writes), smdw (a running standby)" in note["text"]
    assert f"system {FOREIGN}: sdw1 (a running standby)" in note["text"]
    assert note["command"].startswith("nothing needs to be stopped. Put each system into a group of its own")
    assert not any("remove_standby" in row["command"] for row in document["problems"])
