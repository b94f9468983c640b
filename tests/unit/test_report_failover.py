# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report of a failover says of salvage, loss and fence."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import failover as failover_report
from cases import failover
from host_needs import have
from observations import CLOSED, crashed, standby, unreachable

CRASHED = {"mdw": crashed(), "smdw": standby("smdw", CLOSED)}
GONE = {"mdw": unreachable(), "smdw": standby("smdw", CLOSED)}


RELOAD = (
    "runuser -u gpadmin -- /usr/lib/postgresql/15/bin/psql -h /var/run/postgresql -p 5432 -d postgres -c"
    ' "SELECT pg_reload_conf()"'
)


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


def test_report_says_what_the_new_masters_host_lacks_and_what_must_be_rebuilt() -> None:
    seen = standby("smdw", {**have(locale={"de_DE.UTF-8": False}, libc="2.28"), **CLOSED})
    plan = failover({"mdw": crashed(), "smdw": seen}, {}).plan
    facts = report(plan, {})
    assert facts["Its host lacks"] == "smdw lacks a locale that is needed: de_DE.UTF-8 (database shop)"
    assert facts["Indexes on texts"] == "were sorted by another version than smdw has, and must be rebuilt there"
    assert failover_report.rebuild(plan) == [
        "on smdw, as soon as possible: runuser -u gpadmin -- /usr/lib/postgresql/15/bin/psql"
        " -h /var/run/postgresql -p 5432 -d shop"
        ' -c "REINDEX DATABASE shop" -c "ALTER DATABASE shop REFRESH COLLATION VERSION"'
    ]


@pytest.mark.parametrize(("lets_in", "said"), [(True, False), (None, False), (False, True)])
def test_report_says_when_no_client_is_let_in(lets_in: bool | None, said: bool) -> None:
    seen = standby("smdw", {"server.lets_clients_in": lets_in, **CLOSED})
    document = {"check": False, "plan": failover({"mdw": crashed(), "smdw": seen}, {}).plan, "fenced": {}, "offer": {}}
    clients = failover_report.report({**document, "activation": {"promoted": True}})["next"][0]
    assert clients.startswith("clients: host=mdw,smdw port=5432,5432 target_session_attrs=read-write")
    assert clients.endswith(f"lets any in from another host: add theirs there, then on smdw: {RELOAD}") is said


def test_report_names_the_loss_that_was_accepted() -> None:
    facts = report(failover(CRASHED, {"accept_data_loss": True}).plan, {"msg": "the WAL after 0/3 cannot be read."})
    assert facts["Data lost"] == "accepted by the operator: the WAL after 0/3 cannot be read"


@pytest.mark.parametrize(
    ("end", "began", "bytes_behind"),
    [
        pytest.param("0/5000000", "0/5000000", 0, id="all"),
        pytest.param("0/4FFFFFF", "0/5000000", 0, id="more"),
        pytest.param("0/3026BE0", "0/3000E98", 0x25D48, id="less"),
        pytest.param("0/5000018", "0/5000000", 0, id="the-header-of-a-page"),
        pytest.param("0/5000028", "0/5000000", 0, id="the-header-of-a-segment"),
        pytest.param("0/5000030", "0/5000000", 0x30, id="a-record-behind-the-header"),
        pytest.param("0/5000118", "0/5000100", 0x18, id="a-record-within-a-page"),
        pytest.param(None, "0/5000000", None, id="not-known"),
        pytest.param("0/5000000", None, None, id="nor-that"),
    ],
)
def test_what_is_left_behind(end: str | None, began: str | None, bytes_behind: int | None) -> None:
    assert failover_report.left_behind(end, began) == bytes_behind


def test_loss_is_told_by_what_is_there_and_not_by_the_plan() -> None:
    """All was promised, and the activation came before it was there."""
    plan = failover(CRASHED, {}).plan
    lost = report(plan, {"offer": {"end_lsn": "0/3026BE0"}}, activation_lsn="0/3000E98")["Data lost"]
    assert lost.startswith("151 kB OF WAL: the WAL of mdw ended at 0/3026BE0, and smdw took over at 0/3000E98")
    assert "hawq.mirroring.resync_standby --check" in lost
    assert report(plan, {"offer": {"end_lsn": "0/5"}}, activation_lsn=None)["Data lost"].startswith("not known")


def test_what_was_known_of_a_lost_host_is_compared_as_well() -> None:
    plan = {**failover(GONE, {"master_is_down": True}).plan, "known_lsn": "0/5000100"}
    lost = report(plan, {})["Data lost"]
    assert lost.startswith("at least 256 B OF WAL: the WAL of mdw was known to reach 0/5000100")
    held = report(plan, {}, activation_lsn="0/5000100")["Data lost"]
    assert held.endswith("What was known of its WAL (0/5000100) is in the new master")


def test_how_old_the_last_commit_is() -> None:
    plan = failover(GONE, {"master_is_down": True}).plan
    facts = report(plan, {}, promoted_at=1_000_075.5, last_commit_at=1_000_000.0)
    assert facts["Last commit that it has"] == "1970-01-12 13:46:40 UTC, 76 s before it took over"
    facts = report(plan, {}, promoted_at=1_000_075.5, last_commit_at=None)
    assert facts["Last commit that it has"].startswith("not known")
    assert "Last commit that it has" not in report(plan, {}, promoted=False)


def test_who_was_ended_and_why() -> None:
    sessions = [{"pid": pid, "title": "shop shop [local] idle", "why": "no session was free"} for pid in range(1, 6)]
    sessions.append({"pid": 9, "title": "shop shop [local] active", "why": "it held the replay up"})
    told = report(failover(CRASHED, {}).plan, {}, ended_sessions=sessions)["Sessions that were ended"]
    assert told.startswith("5, since no session was free (process 1, shop shop [local] idle; process 2,")
    assert "; and 2 more); 1, since it held the replay up (process 9, shop shop [local] active)" in told
