# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pair that the inventory calls by other names than when it was made: it is known, and is registered anew."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import init_standby, members, renamed
from ansible_collections.hawq.mirroring.plugins.module_utils.report import work
from observations import HOSTS, change, mirrored, standby, unreachable

NAMES: dict[str, tuple[cases.Hosts, dict[str, str]]] = {
    "as it was made": ({"mdw": mirrored(), "smdw": standby()}, {}),
    "another name": (cases.renamed_pair(), {"smdw": "s2"}),
    "the master cannot be asked": ({"mdw": unreachable(), "smdw": cases.renamed_pair()["smdw"]}, {}),
    "its host cannot be looked at": ({"mdw": cases.renamed_pair()["mdw"], "smdw": unreachable()}, {}),
    "another standby than the registered one": ({"mdw": cases.renamed_pair()["mdw"], "smdw": standby()}, {}),
    "two that would be it": (
        {**cases.renamed_pair(), "sdw1": standby("sdw1", {"follows_slot": "hawq_mirroring_s2"})},
        {},
    ),
    "the standby knows itself": (
        {"mdw": unreachable(), "smdw": change(cases.renamed_pair()["smdw"], {"server.standbys": ["s2"]})},
        {"smdw": "s2"},
    ),
}


@pytest.mark.parametrize(("hosts", "expected"), NAMES.values(), ids=NAMES)
def test_who_has_another_name(hosts: t.Any, expected: dict[str, str]) -> None:
    assert renamed.names(hosts) == expected


def test_it_is_read_with_the_names_of_now() -> None:
    observations, _names = renamed.translated(t.cast("t.Any", cases.renamed_pair()))
    server = observations["mdw"]["server"]
    assert server["standbys"] == ["smdw"]
    assert [row["name"] for row in server["senders"]] == ["smdw"]
    assert [row["name"] for row in server["slots"]] == ["hawq_mirroring_smdw"]
    assert observations["smdw"]["follows_slot"] == "hawq_mirroring_smdw"
    document = cases.state(cases.renamed_pair())
    assert (document["standby"], document["healthy"]) == ("smdw", True)


def test_it_is_registered_anew_without_a_copy() -> None:
    observations, names = renamed.translated(t.cast("t.Any", cases.renamed_pair()))
    verdict = init_standby.judge(observations, HOSTS, t.cast("t.Any", {**cases.INIT_STANDBY, "renamed": names}))
    assert verdict.refusals == []
    plan = t.cast("dict[str, t.Any]", verdict.plan)
    assert (plan["standby"], plan["snapshot"], plan["standbys"]) == ("smdw", False, ["smdw"])
    assert plan["steps"]["source"] == ["mdw"]
    assert (plan["steps"]["spare"], plan["spare_slots"]) == (["mdw"], ["hawq_mirroring_s2"])


def test_slots_of_nobody_go_and_others_stay() -> None:
    rows = [
        {**cases.slot(), "name": "hawq_mirroring_gone", "active": False},
        {**cases.slot(), "name": "barman", "active": False},
    ]
    hosts = {"mdw": mirrored("mdw", {"server.slots": [cases.slot(), *rows]}), "smdw": standby()}
    verdict = init_standby.judge(t.cast("t.Any", hosts), HOSTS, t.cast("t.Any", cases.INIT_STANDBY))
    assert t.cast("dict[str, t.Any]", verdict.plan)["spare_slots"] == ["hawq_mirroring_gone"]
    well = init_standby.judge({"mdw": mirrored(), "smdw": standby()}, HOSTS, t.cast("t.Any", cases.INIT_STANDBY))
    assert t.cast("dict[str, t.Any]", well.plan)["steps"]["spare"] == []


def idle(name: str) -> dict[str, t.Any]:
    return {**cases.slot(), "name": name, "active": False, "active_pid": None}


GONE = "hawq_mirroring_gone"
SPARE: dict[str, tuple[t.Any, t.Any, list[str], list[str]]] = {
    "of nobody": ({}, {}, ["mdw", "smdw"], [GONE]),
    "of nobody, and somebody uses it": ({"active": True}, {}, ["mdw", "smdw"], []),
    "of a host that was taken out of the group for a while": ({}, {}, ["mdw", "smdw", "gone"], []),
    "of such a host, whose name is written otherwise": ({"name": "hawq_mirroring_s_2"}, {}, ["S-2"], []),
    "of a registered standby that is not in the inventory": ({}, {"mdw": ["gone", "smdw"]}, ["mdw", "smdw"], []),
    "of a standby that follows with it": ({}, {"smdw": GONE}, ["mdw", "smdw"], []),
    "of others": ({"name": "barman"}, {}, ["mdw", "smdw"], []),
}


@pytest.mark.parametrize(("row", "told", "inventory", "expected"), SPARE.values(), ids=SPARE)
def test_only_a_slot_of_nobody_is_given_up(row: t.Any, told: t.Any, inventory: list[str], expected: list[str]) -> None:
    source = mirrored("mdw", {"server.slots": [cases.slot(), {**idle(GONE), **row}]})
    source["server"]["standbys"] = told.get("mdw", ["smdw"])
    seen = standby("smdw", {"follows_slot": told.get("smdw", cases.slot()["name"])})
    assert renamed.spare_slots(t.cast("t.Any", {"mdw": source, "smdw": seen}), "mdw", {}, inventory) == expected


def test_an_inventory_is_heeded_and_a_report_says_what_went() -> None:
    hosts: t.Any = {"mdw": mirrored("mdw", {"server.slots": [cases.slot(), idle(GONE)]}), "smdw": standby()}
    for inventory, expected in ((["mdw", "smdw"], [GONE]), (["mdw", "smdw", "gone"], [])):
        options: t.Any = {**cases.INIT_STANDBY, "inventory": inventory}
        plan = t.cast("dict[str, t.Any]", init_standby.judge(hosts, HOSTS, options).plan)
        assert plan["spare_slots"] == expected
        facts = work.spare(plan, check=False)
        assert list(facts) == ([f"Slots on {plan['master']}"] if expected else [])
        assert all(f"registered under it: {GONE}" in words and words.startswith("dropped") for words in facts.values())
    assert work.spare({"master": "mdw", "spare_slots": [GONE]}, check=True)["Slots on mdw"].startswith("to be dropped")


def test_a_removal_asks_for_the_name_first() -> None:
    (refusal,) = renamed.refusals({"smdw": "s2"}, "smdw")
    assert (refusal.kind, refusal.command.endswith("init_standby -e standby_host=smdw")) == ("renamed", True)
    assert renamed.refusals({}, "smdw") == renamed.refusals({"smdw": "s2"}, None) == []


ADDRESSES: dict[str, tuple[t.Any, t.Any, bool]] = {
    "as they were told": (["smdw"], {}, False),
    "another one now": (["smdw.example.org"], {}, True),
    "never told": ([], {}, False),
    "a key that is not known": (["smdw"], {"smdw": {"server": None, "host": "Host key verification failed."}}, True),
}


@pytest.mark.parametrize(("told", "asks", "expected"), ADDRESSES.values(), ids=ADDRESSES)
def test_host_keys_are_known_by_the_address_of_now(told: list[str], asks: t.Any, expected: bool) -> None:
    settings = {"peers": [{"name": "smdw", "address": address} for address in told]}
    one = mirrored("mdw", {"programs": {"interlock": {"settings": settings}}, "asks": asks})
    assert (
        members.has_new_addresses({"mdw": one, "smdw": standby()}, {name: HOSTS[name] for name in ("mdw", "smdw")})
        == expected
    )
