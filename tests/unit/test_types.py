# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What types say of values: their shape, the fixtures, an observation that comes in, and the page that shows them."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
import types_page
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.action.verdict import ActionModule
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import observe, spaces
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import refusal
from ansible_collections.hawq.mirroring.plugins.module_utils.values import control_data, shape
from ansible_collections.hawq.mirroring.plugins.module_utils.values.observation import Observation, Unreachable
from observations import (
    change,
    empty,
    frozen,
    master,
    mirrored,
    silent,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

ROOT = Path(__file__).parents[2]


class Inner(t.TypedDict):
    """A part."""

    number: t.Annotated[int, "bytes of it"]


class Outer(t.TypedDict, total=False):
    """A whole."""

    text: t.Annotated[t.Optional[str], "what it says"]  # noqa: UP045
    inner: t.Annotated[Inner | None, "its part"]
    many: t.Annotated[list[Inner], "its parts"]
    named: t.Annotated[dict[str, float], "numbers by name"]
    choice: t.Annotated[t.Literal["a", "b"], "one of two"]
    flag: t.Annotated[bool, "yes or no"]
    whatever: t.Annotated[t.Any, "anything"]


MISFITS: dict[str, tuple[t.Any, list[str]]] = {
    "nothing": ({}, []),
    "all": (
        {
            "text": None,
            "inner": {"number": 1},
            "many": [{"number": 2}],
            "named": {"x": 1, "y": 0.5},
            "choice": "a",
            "flag": False,
            "whatever": [object],
        },
        [],
    ),
    "no dict": ([], ["it is list [], not Outer"]),
    "unknown": ({"texts": ""}, ["texts is unknown"]),
    "missing inside": ({"inner": {}}, ["inner.number is missing"]),
    "unknown inside": ({"inner": {"number": 1, "colour": 2}}, ["inner.colour is unknown"]),
    "wrong type": ({"text": 7}, ["text is int 7, not str or null"]),
    "wrong type inside": ({"inner": {"number": "7"}}, ["inner.number is str '7', not int"]),
    "wrong type in a list": ({"many": [{"number": 1}, {"number": None}]}, ["many[1].number is NoneType None, not int"]),
    "no list": ({"many": {}}, ["many is dict {}, not list of Inner"]),
    "wrong value": ({"named": {"x": "1"}}, ["named['x'] is str '1', not float"]),
    "wrong key": ({"named": {1: 1.0}}, ["the key 1 of named is int 1, not str"]),
    "another choice": ({"choice": "c"}, ["choice is str 'c', not 'a' or 'b'"]),
    "a truth is no number": ({"inner": {"number": True}}, ["inner.number is bool True, not int"]),
    "a number is no truth": ({"flag": 1}, ["flag is int 1, not bool"]),
    "several": ({"text": 7, "flag": ""}, ["text is int 7, not str or null", "flag is str '', not bool"]),
}


@pytest.mark.parametrize(("value", "wrong"), MISFITS.values(), ids=MISFITS)
def test_misfits(value: t.Any, wrong: list[str]) -> None:
    assert shape.misfits(value, Outer) == wrong


def test_fields_are_what_was_written_down() -> None:
    assert [(each.name, shape.name_of(each.type), each.meaning, each.required) for each in shape.fields(Inner)] == [
        ("number", "int", "bytes of it", True)
    ]
    assert [shape.name_of(each.type) for each in shape.fields(Outer)] == [
        "str or null",
        "Inner or null",
        "list of Inner",
        "dict of float",
        "'a' or 'b'",
        "bool",
        "anything",
    ]


FIXTURES = {
    "empty": empty(),
    "stopped": stopped(),
    "stopped standby": stopped_standby(),
    "master": master(),
    "mirrored": mirrored(),
    "standby": standby(),
    "silent": silent(),
    "frozen": frozen(master()),
}


@pytest.mark.parametrize("seen", FIXTURES.values(), ids=FIXTURES)
def test_fixtures_are_observations(seen: dict[str, t.Any]) -> None:
    assert shape.misfits(seen, Observation) == []
    assert shape.misfits(json.loads(json.dumps(seen)), Observation) == []


def test_an_unreachable_host_is_one() -> None:
    assert shape.misfits(unreachable(), Unreachable) == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests/unit/controldata").glob("*.txt")), ids=lambda path: path.stem)
def test_every_control_file_can_be_told(path: Path) -> None:
    raw = control_data.parse(path.read_text())
    found = observe.neutral_control(raw)
    assert found is not None
    assert shape.misfits({**stopped(), "control": found}, Observation) == []
    assert (found["ended"], found["as_master"]) == observe.ENDINGS[str(raw["state"])]


def test_what_a_directory_holds_is_told(tmp_path: Path) -> None:
    for name in ("PG_VERSION", "standby.signal", "backup_label"):
        (tmp_path / name).touch()
    instance: t.Any = type("Instance", (), {"data_directory": str(tmp_path), "user": "nobody"})
    found = observe.data_directory(instance, True)
    assert shape.misfits({**stopped(), "data_directory": found}, Observation) == []
    assert (found["state"], found["marked_standby"], found["unstarted_copy"]) == ("data", True, True)
    assert not found["marked_recovery"]


def test_what_the_servers_user_may_not_write_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own is looked at, also in directories whose files are few; what a file system puts there is nobody's."""
    for name in (
        "PG_VERSION",
        "pg_wal/lost+found/x",
        "pg_wal/.keep",
        "pg_wal/000000010000000000000001",
        "pg_xact/0000",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    user = observe.account.name_of(os.geteuid())
    closed = [str(tmp_path / "pg_wal" / "lost+found"), str(tmp_path / "pg_wal" / ".keep")]
    monkeypatch.setattr(os, "access", lambda path, mode: path not in closed)
    instance: t.Any = type("Instance", (), {"data_directory": str(tmp_path), "user": user})
    assert observe.data_directory(instance, False)["closed"] is None
    closed.append(str(tmp_path / "pg_xact" / "0000"))
    assert observe.data_directory(instance, False)["closed"] == closed[-1]
    instance.user = "nobody-of-that-name"  # nobody looks on for a user that is yet to be made
    assert observe.data_directory(instance, False)["closed"] is None


def test_a_directory_for_a_tablespace_is_told(tmp_path: Path) -> None:
    (tmp_path / "PG_15_202209061").mkdir()
    seen = {**empty(), "directories": [spaces.directory(str(tmp_path))]}
    assert shape.misfits(seen, Observation) == []
    assert not seen["directories"][0]["foreign"]
    (tmp_path / "thesis.tex").touch()
    assert spaces.directory(str(tmp_path))["foreign"]


TOLD: dict[str, tuple[dict[str, str], dict[str, t.Any]]] = {
    "nothing": ({}, {"host": None, "port": None, "user": None, "database": None}),
    "all": (
        {"host": "mdw", "port": "5433", "user": "u", "sslmode": "x", "dbname": "postgres"},
        {"host": "mdw", "port": 5433, "user": "u", "database": "postgres"},
    ),
    "several": (
        {"host": "a,b", "port": "1,2"},
        {"host": "a,b", "port": None, "user": None, "database": None},
    ),
}


@pytest.mark.parametrize(("words", "follows"), TOLD.values(), ids=TOLD)
def test_whom_it_follows(words: dict[str, str], follows: dict[str, t.Any]) -> None:
    assert observe.follows(words) == follows


def answers(**seen: t.Any) -> t.Any:
    """Return a run whose observing tasks have registered these answers."""

    def read(_self: t.Any, name: str, what: str) -> t.Any:
        return seen[name] if what == "server_observed" else {}

    return type("Run", (), {"read": read, "login": lambda _self, name: name})()


def test_an_observation_that_is_none_is_told_and_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda _self, text: told.append(text))
    run = answers(mdw={"observation": master()}, smdw={"msg": "Failed to connect: ssh: timed out"})
    found = ActionModule._observations(run, ["mdw", "smdw"])
    assert found == {"mdw": master(), "smdw": {"reachable": False, "error": "timed out"}}
    old = change(master(), {"server.slots": [{"slot_name": "x"}]})
    assert told == []
    assert ActionModule._observations(answers(mdw={"observation": old}), ["mdw"]) == {"mdw": old}
    assert "observation of mdw" in told[0]
    assert "server.slots[0].name is missing" in told[0]


def test_the_page_of_types_is_up_to_date() -> None:
    page = ROOT / "docs/types.md"
    assert page.read_text() == types_page.page(), "run tests/types_page.py"


def test_every_field_has_a_meaning() -> None:
    for kind in types_page.all_types():
        assert [each.name for each in types_page.fields_of(kind) if not each.meaning] == [], kind.__name__


def test_kinds_of_refusals_are_words_in_order() -> None:
    kinds = t.get_args(refusal.Kind)
    assert list(kinds) == sorted(set(kinds), key=lambda kind: kind.replace("-", " "))
