# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report of a removal says was done, is left, and comes next."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.report import removal as removal_report
from cases import removal
from observations import REMOVED, SEGMENT, empty, master, mirrored, standby, stopped_standby

PAIR = {"mdw": mirrored(), "smdw": standby()}
SYNCHRONOUS = mirrored("mdw", {"server.settings.synchronous_standbys": "smdw"})
DISCARD = {"existing_data": "discard"}
DONE: dict[str, dict[str, t.Any]] = {
    "copy": {},
    "server": {"changed": True, "stopped": "fast"},
    "unit": {"changed": True},
    "standby password": {"changed": True},
    "hba": {"changed": True},
    "source": {"changed": True, "removed": ["slot", "registration", "role"], "role_stays": ""},
    "password": {"changed": True},
    "discarded": {},
    "cleared": {"changed": True, "done": []},
    "forgotten": {"changed": True},
    "mirroring": {"mirroring": {"summary_state": "Not Configured"}},
}


def report(plan: dict[str, t.Any], **overrides: t.Any) -> dict[str, t.Any]:
    return removal_report.report({"check": False, "plan": plan, "unit": "", "part": False, "done": DONE, **overrides})


def test_report() -> None:
    said = report(removal({**PAIR, "mdw": SYNCHRONOUS}, {}).plan)
    assert said["title"] == "Standby smdw removed, mdw goes on without it"
    assert said["facts"] == {
        "Taken away on the master": "slot, registration, role, lines in pg_hba.conf, replication password",
        "Commits do not wait for it now": "synchronous_standby_names was smdw, is empty",
        "Server of the standby": "stopped (fast)",
        "Data of the standby": "kept, and marked as removed",
        "Mirroring state": "Not Configured",
    }
    assert any("hawq.mirroring.resync_standby" in line for line in said["next"])


def test_report_of_a_discard_and_of_segments() -> None:
    plan = removal({**PAIR, "mdw": mirrored("mdw", {"server.segments": [SEGMENT]})}, DISCARD).plan
    facts = report(plan)["facts"]
    assert facts["Data of the standby"] == "deleted"
    assert facts["What this collection had there"] == "taken away"
    assert facts["Role and its password stay"] == "the segments hear from it what the master is called"
    source = {**DONE["source"], "role_stays": "it owns or may use other objects"}
    facts = report(removal(PAIR, {}).plan, done={**DONE, "source": source})["facts"]
    assert facts["Role stays"] == "it owns or may use other objects"


def test_a_part_of_a_run_that_takes_all_away_advises_nothing() -> None:
    plan = removal(PAIR, {}).plan
    assert report(plan)["next"] != []
    assert report(plan, part=True)["next"] == []


def test_report_of_a_unit_that_is_not_ours() -> None:
    said = report(removal(PAIR, {}).plan, unit="postgresql@15-main")
    assert any(line.startswith("postgresql@15-main on smdw") for line in said["next"])


def test_report_of_nothing() -> None:
    nothing = {name: {} for name in DONE}
    said = report(removal({"mdw": master(), "smdw": stopped_standby("smdw", REMOVED)}, {}).plan, done=nothing)
    assert said["title"] == "mdw has no standby: nothing to remove, nothing changed"
    plan = removal({**PAIR, "sdw1": empty("sdw1")}, {"standby_host": "sdw1"}).plan
    assert report(plan, done=nothing)["title"] == "sdw1 is no standby of mdw: nothing to remove, nothing changed"


def test_report_of_a_check() -> None:
    said = report(removal(PAIR, DISCARD).plan, check=True)
    assert said["title"] == "Nothing was changed. A run would remove: Standby smdw of mdw"
    assert said["facts"]["Server of the standby"] == "to be stopped"
    assert said["facts"]["Data of the standby"] == "to be deleted"
