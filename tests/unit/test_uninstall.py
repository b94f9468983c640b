# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is taken away from which host, and when not yet; what the report says of it."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import uninstall
from ansible_collections.hawq.mirroring.plugins.module_utils.report import uninstall as report
from observations import HOSTS, REMOVED, empty, master, mirrored, standby, stopped, stopped_standby, unreachable

SEGMENTS = {"sdw1": empty("sdw1"), "sdw2": unreachable()}


def judged(hosts: t.Any, **options: t.Any) -> t.Any:
    return uninstall.judge(hosts, HOSTS, t.cast("t.Any", {"remove_standbys": False, "witnesses": {}, **options}))


MARKED = {"blocks.unchangeable": "/data/hawq/master/pg_hba.conf", "server.standbys": []}
REFUSED: dict[str, tuple[t.Any, str, str]] = {
    "a standby in step": ({"mdw": mirrored(), "smdw": standby()}, "has-a-standby", "remove_standbys=true"),
    "a standby that is off": ({"mdw": mirrored(), "smdw": unreachable()}, "has-a-standby", "remove_standbys=true"),
    "a copy that nobody has removed": ({"mdw": master(), "smdw": stopped("smdw")}, "has-a-standby", "=discard"),
    "an access file that nobody may change": (
        {"mdw": master("mdw", {**MARKED, "blocks.segments": ["host a"]})},
        "read-only",
        "on mdw: chattr -i -a /data/hawq/master/pg_hba.conf",
    ),
    "no master": ({"mdw": stopped("mdw"), "smdw": standby()}, "no-master", ""),
    "nobody can be asked": ({"mdw": unreachable(), "smdw": unreachable()}, "cannot-look", ""),
}


@pytest.mark.parametrize(("hosts", "kind", "command"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(hosts: t.Any, kind: str, command: str) -> None:
    (refusal,) = judged(hosts).refusals
    assert refusal.kind == kind
    assert command in refusal.command


STEPS: dict[str, tuple[t.Any, dict[str, t.Any], dict[str, list[str]]]] = {
    "a standby is removed first": (
        {"mdw": mirrored(), "smdw": standby()},
        {"remove_standbys": True},
        {"remove": ["smdw"], "master": ["mdw"], "leave": ["mdw", "smdw"], "empty": []},
    ),
    "a master alone": (
        {"mdw": master("mdw", {"server.standbys": []}), "smdw": empty("smdw")},
        {},
        {"master": ["mdw"], "leave": ["mdw", "smdw"], "empty": ["smdw"]},
    ),
    "a standby that was removed": (
        {"mdw": master("mdw", {"server.standbys": []}), "smdw": stopped_standby("smdw", REMOVED)},
        {},
        {"master": ["mdw"], "leave": ["mdw", "smdw"], "empty": []},
    ),
    "hosts without data": (
        {"mdw": empty("mdw"), "smdw": unreachable()},
        {},
        {"remove": [], "master": [], "leave": ["mdw"], "empty": ["mdw"]},
    ),
    "an access file that has none of our lines": ({"mdw": master("mdw", MARKED)}, {}, {"master": ["mdw"]}),
    "segments": (
        {"mdw": master("mdw", {"server.standbys": []})},
        {"witnesses": SEGMENTS},
        {"segments": ["sdw1"]},
    ),
}


@pytest.mark.parametrize(("hosts", "options", "expected"), STEPS.values(), ids=STEPS)
def test_who_does_what(hosts: t.Any, options: dict[str, t.Any], expected: dict[str, list[str]]) -> None:
    verdict = judged(hosts, **options)
    assert verdict.refusals == []
    assert {name: verdict.plan["steps"][name] for name in expected} == expected


def test_what_is_left_of_earlier_standbys_is_removed() -> None:
    left = master("mdw", {"server.slots": [cases.slot()], "server.standbys": []})
    assert judged({"mdw": left, "smdw": empty("smdw")}).plan["steps"]["remove"] == [""]


def test_what_stays_is_told() -> None:
    plan = judged({"mdw": master(), "smdw": unreachable()}, witnesses=SEGMENTS).plan
    assert [line.split()[0] for line in plan["left"]] == ["smdw", "sdw2"]
    here = {"address": "192.0.2.10/24", "interface": "eth0", "here": True}
    assert any(
        "until its next boot" in line for line in judged({"mdw": master("mdw", {"virtual_ip": here})}).plan["left"]
    )


def test_report() -> None:
    plan = judged({"mdw": mirrored(), "smdw": standby()}, remove_standbys=True).plan
    said = report.report({"plan": plan, "check": False, "changed": True})
    assert said["title"] == "All of this collection is taken away"
    assert said["facts"]["Standbys"] == "smdw, removed"
    assert said["facts"]["Server"] == "goes on on mdw, not restarted"
    assert report.report({"plan": plan, "check": True, "changed": True})["title"].startswith("Nothing was changed")
    assert report.report({"plan": plan, "check": False, "changed": False})["nothing"]
