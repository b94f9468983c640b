# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report of a resynchronisation says: the bill of all ways, what was lost and what is kept."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import resync as resync_report
from cases import DIVERGED, activated, resync
from observations import FORMER, Observation, stopped
from test_resync import WAYS


@pytest.mark.parametrize(
    ("smdw", "mdw", "options", "way"),
    [pytest.param(smdw, mdw, options, way, id=name) for name, (smdw, mdw, options, way, _why) in WAYS.items() if way],
)
def test_the_bill_marks_the_way_that_is_taken(
    smdw: Observation, mdw: Observation, options: dict[str, t.Any], way: str
) -> None:
    plan = resync({"mdw": mdw, "smdw": smdw}, options).plan
    assert f"* {way}" in resync_report.bill({"plan": plan, "relations": []})


def test_report_of_what_was_lost_and_kept() -> None:
    plan = resync({"mdw": activated(), "smdw": stopped("smdw", FORMER)}, {"divergence": DIVERGED}).plan
    document = {
        "check": False,
        "plan": plan,
        "relations": ["postgres.public.orders"],
        "mirroring": {"summary_state": "Synchronized"},
        "rewound": {"rewound": True, "copied_bytes": 84 << 20, "fetched": 0},
        "compared": {},
        "lost": {"directory": "/data/hawq/master.hawq-lost-0-3017F88"},
        "kept": [],
    }
    report = resync_report.report(document)
    assert report["title"] == "Resynchronised smdw, standby of mdw"
    assert report["facts"]["Way"].startswith("rewind (")
    assert report["facts"]["Copied from the master"] == "84 MB"
    assert report["facts"]["Transactions that only smdw has"].startswith(
        "3 committed, in 64 kB of WAL beyond 0/3017F88"
    )
    assert report["facts"]["Tables that they touched"] == "postgres.public.orders"
    assert report["facts"]["Kept aside"] == "/data/hawq/master.hawq-lost-0-3017F88"
    failed = {**document, "plan": {**plan, "failed_routes": {"rewind": "pg_rewind would not work: no WAL"}}}
    assert resync_report.report(failed)["facts"]["Rewind failed"] == "pg_rewind would not work: no WAL"
    more = {**plan, "recovery_settings": {"max_connections": "200"}, "notes": ["replay on smdw waits"]}
    told = resync_report.report({**document, "plan": more})
    assert told["facts"]["Set on smdw"] == "max_connections = 200"
    assert told["next"][0] == "replay on smdw waits"
    told = resync_report.report({**document, "check": True})
    assert told["title"] == "Nothing was changed. A run would resynchronise smdw, standby of mdw"
