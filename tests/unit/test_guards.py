# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the state says of a pair whose commits wait: its guards, its witnesses, and what would come of a lost host."""

from __future__ import annotations

import typing as t

import cases
import pytest
from cases import Hosts, rows
from observations import mirrored, standby, stopped_standby
from test_promised import GUARD, witnesses

OFF = {**GUARD, "active": False}
PEACE = {**GUARD, "mode": "asynchronous"}


def pair(mdw: t.Any = "", smdw: t.Any = "") -> Hosts:
    mine, its = (GUARD if each == "" else each for each in (mdw, smdw))
    return {"mdw": mirrored("mdw", {"guard": mine}), "smdw": standby("smdw", {"guard": its})}


# hosts, the three records: kinds of this file's problems, and a word of the first one's text and command
PROBLEMS: dict[str, tuple[Hosts, str, list[str], str, str]] = {
    "all is well": (pair(), "sss", [], "", ""),
    "one witness is silent": (pair(), "ss-", [], "", ""),
    "two are silent": (pair(), "s--", ["witness-missing"], "1 of 3 witnesses", "bring sdw2 and sdw3 up"),
    "two have lost their records": (pair(), "s00", ["witness-missing"], "sdw2: it has no record", "init_segments"),
    "two are damaged": (pair(), "sdd", ["witness-missing"], "its record is damaged", "init_segments"),
    "two are of another system": (pair(), "sff", ["witness-missing"], "of another system", "init_segments"),
    "two do not run": (
        pair(),
        "soo",
        ["witness-missing"],
        "sdw3: its program does not run",
        "on sdw3: systemctl start",
    ),
    "two have promised": (pair(), "sxx", ["witness-missing"], "sdw2: it has promised timeline", "switchover"),
    "the master's guard is stopped": (pair(OFF), "sss", ["guard-missing"], "wait for ever", "on mdw: systemctl start"),
    "the standby's guard is gone": (pair(GUARD, None), "sss", ["guard-missing"], "smdw has no guard", "init_standby"),
    "the standby's server is stopped, and its guard with it": (
        {"mdw": mirrored("mdw", {"guard": GUARD}), "smdw": stopped_standby("smdw", {"guard": OFF})},
        "sss",
        [],
        "",
        "",
    ),
    "asynchronous again": (pair({**PEACE, "active": False}, {**PEACE, "active": False}), "000", [], "", ""),
    "never anything else": (pair(None, None), "000", [], "", ""),
}


@pytest.mark.parametrize(("hosts", "sorts", "kinds", "word", "command"), rows(PROBLEMS))
def test_what_is_missing(hosts: Hosts, sorts: str, kinds: list[str], word: str, command: str) -> None:
    document = cases.state(hosts, {"witnesses": witnesses(sorts)})
    found = [row for row in document["problems"] if row["kind"] in ("guard-missing", "witness-missing")]
    assert [row["kind"] for row in found] == kinds
    assert not (kinds and document["healthy"])
    if kinds:
        assert word in found[0]["text"]
        assert command in found[0]["command"]


def outcome(hosts: Hosts, sorts: str, case: str) -> t.Any:
    document = cases.state(hosts, {"witnesses": witnesses(sorts)})
    return next(row for row in document["readiness"] if row["case"] == case)


@pytest.mark.parametrize("case", ["host goes silent", "host is lost"])
def test_a_lost_host_loses_nothing_and_needs_no_word(case: str) -> None:
    answer = outcome(pair(), "ss-", case)
    assert answer["outcome"] == "works"
    assert "nothing is lost" in answer["words"]
    assert "master_is_down" not in answer["command"]


def test_without_a_majority_the_operators_word_is_needed() -> None:
    answer = outcome(pair(), "s--", "host goes silent")
    assert answer["outcome"] == "works"
    assert "master_is_down=true" in answer["command"]


def test_a_master_that_is_alone_is_not_given_up() -> None:
    answer = outcome(pair(), "aaa", "host is lost")
    assert answer["outcome"] == "refused"
    assert "gone-alone" in answer["kinds"]
