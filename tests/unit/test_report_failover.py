# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report of a failover says of salvage, loss and fence."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.report import failover as failover_report
from cases import failover
from observations import CLOSED, crashed, standby, unreachable

CRASHED = {"mdw": crashed(), "smdw": standby("smdw", CLOSED)}
GONE = {"mdw": unreachable(), "smdw": standby("smdw", CLOSED)}


def report(plan: dict[str, t.Any], offer: dict[str, t.Any], **done: t.Any) -> dict[str, str]:
    activation = {"promoted": True, "timeline": 2, "activation_lsn": "0/5000000", "seconds": 0.1, **done}
    document = {"check": False, "plan": plan, "fenced": {}, "offer": offer, "activation": activation}
    return failover_report.report(document)["facts"]


def test_report_of_a_salvage() -> None:
    plan = failover(CRASHED, {}).plan
    facts = report(plan, {"offer": {"end_lsn": "0/5000000", "missing_bytes": 2 << 20}})
    assert facts["Old master's WAL ended at"] == "0/5000000"
    assert facts["Salvaged from it"] == "2 MB"
    assert facts["Data lost"].startswith("none")
    assert facts["Activated at"] == "0/5000000, timeline 2"
    assert facts["Promotion until a write had committed"] == "0.10 s"


def test_report_does_not_promise_what_nobody_looked_at() -> None:
    facts = report(failover(GONE, {"master_is_down": True}).plan, {})
    assert facts["Old master's WAL ended at"].startswith("not known")
    assert facts["Data lost"].startswith("not known: the old master's disk could not be looked at")
    assert facts["Fence"] == "mdw: declared dead by the operator (master_is_down)"


def test_report_names_the_loss_that_was_accepted() -> None:
    facts = report(failover(CRASHED, {"accept_data_loss": True}).plan, {"msg": "the WAL after 0/3 cannot be read."})
    assert facts["Data lost"] == "accepted by the operator: the WAL after 0/3 cannot be read"
