# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options by name and value: what is misspelt, and what cannot work."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.action.options import checked, role_specs, spec_of
from ansible_collections.hawq.mirroring.plugins.module_utils.values import options

ROOT = Path(__file__).resolve().parents[2]

MISFITS: dict[str, tuple[str, t.Any]] = {
    "role with a space": ("master_replication_user", "rep user"),
    "role that is a keyword": ("master_replication_user", "all"),
    "role of the system": ("master_replication_user", "pg_monitor"),
    "rate": ("standby_snapshot_rate_limit", "abc"),
    "port 0": ("server_port", 0),
    "port beyond": ("server_port", 65536),
    "segments' role that replicates for anybody": ("master_segment_user", "replication"),
    "no time between two reports": ("segment_interval", 0),
    "nothing kept": ("master_wal_keep_megabytes", -1),
}


@pytest.mark.parametrize(("name", "value"), MISFITS.values(), ids=MISFITS)
def test_values_that_cannot_work(name: str, value: t.Any) -> None:
    (sentence,) = options.misfits({name: value})
    assert name in sentence


def test_values_that_work() -> None:
    values = {"master_replication_user": "hawq_mirroring", "standby_snapshot_rate_limit": "32M", "server_port": 65535}
    assert options.misfits({**values, "master_wal_keep_megabytes": 1}) == []


def test_segments_need_a_role_of_their_own() -> None:
    (sentence,) = options.misfits({"master_segment_user": "hawq_mirroring"})
    assert sentence.startswith("master_replication_user and master_segment_user are one role")
    assert options.misfits({"master_segment_user": "hawq_mirroring", "master_replication_user": "other"}) == []


def test_only_segments_are_ignored_as_witnesses() -> None:
    assert options.strangers(["sdw1"], ["sdw1", "sdw2"]) == []
    assert options.names(["sdw1", " sdw2", ""]) == ["sdw1", "sdw2"]
    assert options.names(None) == []
    (sentence,) = options.strangers(["sdw1", "mdw"], ["sdw1"])
    assert sentence == "ignore_witness names mdw, not in the groups segments and witnesses (their hosts are sdw1)"


KNOWN = [
    "standby_host",
    "existing_data",
    "server_port",
    "server_user",
    "environment_user",
    "master_restart_allowed",
    "master_is_down",
    "standby_snapshot_compression",
]
NAMES: dict[str, tuple[list[str], dict[str, str | None]]] = {
    "known": (["standby_host", "server_port"], {}),
    "misspelt": (["standy_host"], {"standy_host": "standby_host"}),
    "two letters exchanged": (["standby_hots"], {"standby_hots": "standby_host"}),
    "misspelt with a known prefix": (["server_prot"], {"server_prot": "server_port"}),
    "two slips in a long name": (["master_restrat_alowed"], {"master_restrat_alowed": "master_restart_allowed"}),
    "two slips in a short one": (["servr_prot"], {}),
    "84, N9: a role's of somebody else": (["server_role", "environment_name", "server_colour", "segment_id"], {}),
    "no other's prefix": (["gpadmin_user_colour"], {"gpadmin_user_colour": None}),
    "somebody else's": (["nginx_port", "my_app", "cluster_host", "server_host", "data"], {}),
    "prefix without an underscore": (["serverless"], {}),
    "Ansible's own": (["ansible_host", "inventory_hostname", "group_names"], {}),
    "other capitals": (["Standby_host"], {"Standby_host": "standby_host"}),
    "dashes": (["standby-host"], {"standby-host": "standby_host"}),
    "an empty name": ([""], {}),
}


@pytest.mark.parametrize(("names", "wrong"), NAMES.values(), ids=NAMES)
def test_misspelt(names: list[str], wrong: dict[str, str | None]) -> None:
    assert options.misspelt(names, KNOWN) == wrong


def test_no_name_of_ours_is_taken_for_another() -> None:
    spec = spec_of(role_specs())
    assert [(name, options.misspelt([name], set(spec) - {name})) for name in spec if name.startswith("master_host")]
    assert options.misspelt(spec, spec) == {}


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("", "", 0),
        ("abc", "", 3),
        ("abc", "abc", 0),
        ("abc", "acb", 1),
        ("abc", "abd", 1),
        ("abc", "ab", 1),
        ("ab", "ba", 1),
    ],
)
def test_distance(one: str, other: str, slips: int) -> None:
    found = [options.distance(*words) for words in ((one, other), (other, one))]
    assert found == [slips, slips]


def test_misspelt_sentence() -> None:
    wrong = {"standy_host": "standby_host", "gpadmin_user_colour": None}
    assert options.sentence(wrong, "in the inventory") == (
        "unknown variables in the inventory: gpadmin_user_colour, standy_host (did you mean standby_host?)"
    )
    assert options.sentence({"x": None}, "on the command line") == "unknown variable on the command line: x"


SPEC = spec_of(role_specs())
#: what people type behind the equals sign for each type, and what is meant
TEXTS: dict[str, list[tuple[str, t.Any]]] = {
    "int": [("7", 7), (" 64 ", 64)],
    "float": [("7", 7), (" 2.5 ", 2.5), ("0.5", 0.5)],
    "bool": [(word, True) for word in ("true", "True", "yes", "on", "1", "y")]
    + [(word, False) for word in ("false", "no", "off", "0", "False")],
    "list": [("a", ["a"]), ("a,b", ["a", "b"]), ("a, b", ["a", "b"]), ('["a", "b"]', ["a", "b"]), ("", []), ("[]", [])],
    "dict": [('{"a": "b"}', {"a": "b"}), ("{}", {}), ("", {})],
    "str": [("word", "word"), ("", "")],
    "path": [("/tmp/x", "/tmp/x")],
}
WRONG: dict[str, list[t.Any]] = {
    "int": ["high", "", "1.5", "1e3", "0x10", "64MB", "-", "1,2", "{}", "[1]", 1.5, True, [1], {"a": 1}],
    "float": ["high", "", "1e3", "0x10", "5s", "-", "1,2", "1.", "{}", "[1]", "0", "0.0", "-1", True, [1], {"a": 1}],
    "bool": ["maybe", "", "2", "truee", [True], {"a": True}],
    "list": [{"a": "b"}],
    "dict": ["{broken", "[1]", "a", 7, ["a"]],
    "path": [],
    "str": [],
}
#: choices and patterns say more than a type
NARROWER = {name for name in SPEC if SPEC[name].get("choices") or name in options.PATTERNS}


@pytest.mark.parametrize("name", SPEC)
def test_n13_what_is_typed_is_what_is_meant(name: str) -> None:
    kind = SPEC[name].get("type", "str")
    for text, meant in TEXTS[kind]:
        if name in NARROWER and kind in ("str", "path"):
            continue
        if SPEC[name].get("options"):
            continue
        values, wrong = checked({name: text}, SPEC)
        assert wrong == []
        assert values[name] == meant
        assert checked({name: meant}, SPEC)[0][name] == meant
    for choice in SPEC[name].get("choices", []):
        assert checked({name: choice}, SPEC)[0][name] == choice


@pytest.mark.parametrize("name", SPEC)
def test_n13_what_cannot_be_meant_is_refused_in_one_sentence(name: str) -> None:
    option = SPEC[name]
    bad = [*WRONG[option.get("type", "str")], *(["never"] if option.get("choices") else [])]
    if option.get("type") == "int":
        bad += ["-1", "99999999999", "-99999999999999999999999"]
    for value in bad:
        values, wrong = checked({name: value}, SPEC)
        wrong = wrong or options.misfits(values)
        assert len(wrong) == 1, (value, values)
        assert wrong[0].startswith(f"{name} is ")
        assert "must be" in wrong[0]
        assert not re.search(r"<class|Traceback|Error", wrong[0])


def test_n13_the_limits_of_the_user() -> None:
    values, wrong = checked({"gpadmin_user_limits": '{"nofile": "65536"}'}, SPEC)
    assert (values["gpadmin_user_limits"]["nofile"], wrong) == (65536, [])


def test_every_wrong_value_is_told_at_once() -> None:
    given = {"server_port": "high", "existing_data": "delete", "master_is_down": "perhaps", "standby_host": "smdw"}
    _values, wrong = checked(given, SPEC)
    assert wrong == [
        "server_port is 'high', and must be a whole number",
        "existing_data is 'delete', and must be one of: refuse, keep, discard",
        "master_is_down is 'perhaps', and must be true or false",
    ]


def test_numbers_have_bounds() -> None:
    assert options.numbers({"server_start_timeout": 0}) == [
        "server_start_timeout is 0, and must be a number from 1 to 2147483647"
    ]
    assert options.numbers({"drain_seconds": 0, "server_start_timeout": 1, "standby_host": "smdw", "x": True}) == []


#: names of ours that are numbers may stay text: a module, or the filter int, makes numbers of them
ASKED = {
    "bool": r"\s*(\| default\([^)]*\)\s*)?\| bool",
    "list": r".*\| hawq\.mirroring\.given_list",
    "dict": r".*given_dict",
}
#: what a module is told as it stands, since its own argument has that type
TOLD = ("sizes: ", "restrict: ", "tablespace_mapping: ", "start_without_witness: ")


def test_n13_no_expression_takes_a_text_for_what_it_stands_for() -> None:
    """A text such as ``false`` is true, and one such as ``a,b`` has three letters."""
    found = []
    files = [path for room in ("roles", "playbooks") for path in (ROOT / room).rglob("*") if path.is_file()]
    for path in files:
        if path.suffix not in (".yml", ".j2") or path.name == "argument_specs.yml":
            continue
        for line in path.read_text().splitlines():
            for name, option in SPEC.items():
                pattern = ASKED.get(option.get("type", "str"))
                uses = re.finditer(rf"(?<![\w.'-]){name}(?![\w:'=])(.*)", line.split("#")[0])
                if (
                    not pattern
                    or line.strip().startswith(TOLD)
                    or "checked.options" in line
                    or re.match(r"(\w+: )?[A-Z]|-e ", line.strip())
                ):
                    continue
                found += [(path.name, line.strip()) for use in uses if not re.match(pattern, use[1])]
    assert found == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.1.1", "::1", "localhost", "localhost.localdomain", "0.0.0.0"])
def test_an_address_that_every_host_has_is_nobodys(address: str) -> None:
    """As an inventory has it that is used on one of its own hosts: its standby would look for its master at itself."""
    (wrong,) = options.everywhere({"mdw": address, "smdw": "smdw"})
    assert "set server_address for mdw in the inventory" in wrong
    assert options.everywhere({"mdw": "10.0.0.1", "smdw": "localhost-2", "sdw1": "fd77::1"}) == []
