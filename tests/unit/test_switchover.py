# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When master and standby may swap, as a table."""

from __future__ import annotations

import itertools
import typing as t

import others
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import switchover
from cases import EVERY_KIND, master_of_the_other
from observations import (
    HOSTS,
    Observation,
    change,
    mirrored,
    mute,
    sender,
    set_to,
    shown,
    slot,
    standby,
    stopped,
    stopped_standby,
)

OPTIONS: dict[str, t.Any] = {
    "master_host": None,
    "standby_host": None,
    "fence_command": None,
    "master_is_down": False,
    "accept_data_loss": False,
    "replication_user": "hawq_mirroring",
    "witnesses": {},
}
AWAY: Observation = {"reachable": False, "error": "timed out"}


def given_up(to: str, **overrides: t.Any) -> Observation:
    """Return the old master after the first step of a switchover."""
    return stopped(
        "mdw",
        {
            "data_directory.fenced": True,
            "data_directory.fence_reason": f"switchover to {to}",
            "data_directory.marked_standby": True,
            **overrides,
        },
    )


def judge(mdw: Observation, smdw: Observation, options: dict[str, t.Any]) -> t.Any:
    return switchover.judge({"mdw": mdw, "smdw": smdw}, HOSTS, {**OPTIONS, **options})


BLOCKED: dict[str, t.Any] = {
    "server.replay_blocked": True,
    "server.blockers": [{"pid": 4801, "user": "report", "name": "psql", "open_seconds": 180.0}],
}
LAG: dict[str, t.Any] = {"server.current_lsn": "0/9017F88"}
ADDRESS = {"address": "10.9.0.100/24", "here": False, "taken": None}
REFUSED: dict[str, tuple[Observation, Observation, dict[str, t.Any], str, str]] = {
    "standby stopped": (mirrored(), stopped_standby(), {}, "a standby whose server is stopped", "resync_standby"),
    "standby away": (mirrored(), AWAY, {}, "not reachable", "resync_standby"),
    "not synchronised": (
        mirrored("mdw", {"server.mirroring.summary_state": "Not Synchronized"}),
        standby(),
        {},
        "is Not Synchronized",
        "resync_standby",
    ),
    "it listens at loopback addresses only (83)": (
        mirrored(),
        standby("smdw", {**set_to(listen_addresses="localhost,smdw"), "bound": ["127.0.0.1", "127.0.1.1"]}),
        {},
        "its server listens at 127.0.0.1, 127.0.1.1 only",
        "systemctl restart hawq-master.service",
    ),
    "the standby's file system is read-only": (
        mirrored(),
        standby("smdw", {"data_directory.read_only": "/data"}),
        {},
        "the file system of /data on smdw is mounted read-only",
        "remount,rw",
    ),
    "paused": (mirrored(), standby("smdw", {"server.replay_paused": True}), {}, "is paused", "resync_standby"),
    "its settings are below the master's (54)": (
        mirrored("mdw", set_to(max_connections="200")),
        standby("smdw", {"server.replay_paused": True}),
        {},
        "smdw needs at least max_connections = 200, as mdw has",
        "hawq.mirroring.resync_standby",
    ),
    "its settings are below the master's, which has less again": (
        mirrored(),
        standby("smdw", {"control.at_least": {"max_connections": 200}}),
        {},
        "smdw needs at least max_connections = 200",
        "hawq.mirroring.resync_standby",
    ),
    "all its sessions are taken (55)": (
        mirrored(),
        mute(),
        {},
        "smdw runs as a standby and gives no session (no session: too many clients)",
        "journalctl -u hawq-master.service on smdw",
    ),
    "a query holds replay up (57)": (
        mirrored(),
        standby("smdw", BLOCKED),
        {},
        "sessions on smdw hold its replay up: process 4801 (report, psql, open for 3 minutes)",
        "end them on smdw: runuser -u gpadmin -- "
        "/usr/lib/postgresql/15/bin/psql -h /var/run/postgresql "
        '-p 5432 -d postgres -c "SELECT pg_terminate_backend(4801)"',
    ),
    "something holds replay up that nobody sees": (
        mirrored(),
        standby("smdw", {**BLOCKED, "server.blockers": []}),
        {},
        "sessions on smdw hold its replay up: none that can be seen",
        "hawq.mirroring.state",
    ),
    "behind": (mirrored("mdw", LAG), standby(), {}, "96 MB behind", "when less is written"),
    "79: the master was set back within a WAL segment file, and sends": (
        mirrored(),
        standby("smdw", {"server.replay_lsn": "0/3018000", "server.have_lsn": "0/3018000"}),
        {},
        "smdw holds WAL of timeline 1 up to 0/3018000, and the master mdw has it up to 0/3017F88 only",
        "To keep what smdw has: systemctl stop hawq-master.service on mdw, then ansible-playbook hawq.mirroring.fail",
    ),
    "what archives hangs": (
        mirrored("mdw", {"server.archiver": others.archiver(waiting=3, waiting_seconds=300.0)}),
        standby(),
        {},
        "nothing was archived on mdw for 300 s, and 3 WAL segment files wait for that",
        "end what hangs: systemctl status hawq-master.service on mdw",
    ),
    "a backup runs": (
        mirrored("mdw", {"server.senders": [sender(), sender(4712, "pg_basebackup", streaming=False, copying=True)]}),
        standby(),
        {},
        "a base backup is being taken from mdw (pg_basebackup)",
        "pg_terminate_backend(4712)",
    ),
    "old master has less": (
        mirrored(),
        standby("smdw", set_to(max_connections="200")),
        {},
        "max_connections is 100 on mdw and 200 on smdw",
        "Set max_connections = 200 on mdw",
    ),
    "no slot to spare": (
        mirrored(),
        standby("smdw", set_to(max_replication_slots="0")),
        {},
        "smdw needs max_replication_slots",
        "resync_standby",
    ),
    "lines missing": (
        mirrored(),
        standby("smdw", {"blocks.access": None}),
        {},
        "the replication lines in pg_hba.conf on smdw",
        "resync_standby",
    ),
    "password missing": (
        mirrored(),
        standby("smdw", {"credentials.private": False}),
        {},
        "the replication password is not in order",
        "resync_standby",
    ),
    "address cannot follow": (
        mirrored(),
        standby("smdw", {"virtual_ip": ADDRESS, "programs": {"virtual-ip": {"program": None}}}),
        {},
        "lacks the program that holds 10.9.0.100/24",
        "init_standby",
    ),
    "not its standby": (mirrored(), standby(), {"master_host": "sdw1"}, "sdw1 is not in the inventory", "master_host="),
    "nobody writes": (stopped("mdw"), standby(), {}, "no host accepts writes", "hawq.mirroring.failover"),
    "the master's host is off": (AWAY, standby(), {}, "no host accepts writes", "failover -e master_is_down=true"),
    "interrupted, then the standby is gone": (
        given_up("smdw"),
        AWAY,
        {},
        "smdw is not reachable by SSH (timed out)",
        "go back to mdw: rm /data/hawq/master/standby.signal /data/hawq/master/hawq_mirroring.fence && systemctl start",
    ),
}


@pytest.mark.parametrize(("mdw", "smdw", "options", "found", "command"), REFUSED.values(), ids=REFUSED)
def test_refused(mdw: Observation, smdw: Observation, options: dict[str, t.Any], found: str, command: str) -> None:
    refusals = judge(mdw, smdw, options).refusals
    assert len(refusals) == 1, [refusal.sentence() for refusal in refusals]
    assert found in refusals[0].found
    assert command in refusals[0].command


def test_two_masters_are_refused() -> None:
    refusals = judge(mirrored(), mirrored("smdw"), {}).refusals
    assert "both accept writes" in refusals[0].found


def test_swap() -> None:
    for options in ({}, {"master_host": "smdw"}):
        plan, refusals = judge(mirrored(), standby(), options)
        assert refusals == []
        expected = {"activate": True, "old": "mdw", "new": "smdw", "again": True, "fence": "module", "salvage": True}
        assert shown(plan, expected) == expected
        assert (plan["slots"], plan["reason"]) == (["hawq_mirroring_mdw"], "switchover to smdw")
        assert (plan["followers"], plan["standbys"]) == ({}, [])
        assert set(plan["endpoints"]) == {"mdw", "smdw"}


def test_nothing_to_swap_when_the_wanted_host_is_the_master() -> None:
    plan, refusals = judge(mirrored(), standby(), {"master_host": "mdw"})
    assert (refusals, plan["activate"], plan["new"], plan["fence"]) == ([], False, "mdw", "none")
    assert plan["steps"]["activate"] == []  # its standby stays registered all the while


def test_an_interrupted_swap_goes_on() -> None:
    """Without being told who is to be the master it does not swap back."""
    plan, refusals = judge(given_up("smdw"), standby("smdw", {"server.receiver": None}), {})
    assert refusals == []
    assert (plan["workflow"], plan["activate"], plan["old"], plan["new"]) == ("switchover", True, "mdw", "smdw")
    activated = change(mirrored("smdw"), {"server.senders": [], "server.standbys": [], "server.timeline": 2})
    plan, refusals = judge(given_up("smdw"), activated, {})
    assert (refusals, plan["activate"], plan["old"], plan["new"]) == ([], False, "mdw", "smdw")


TWO = {"server.standbys": ["sdw1", "smdw"], "server.slots": [slot(), slot("hawq_mirroring_sdw1")]}


def judge_three(hosts: dict[str, Observation], options: dict[str, t.Any]) -> t.Any:
    return switchover.judge(hosts, HOSTS, {**OPTIONS, **options})


def test_of_two_standbys_the_named_one_takes_over_and_the_other_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = {"mdw": mirrored("mdw", TWO), "smdw": standby(), "sdw1": standby("sdw1")}
    _plan, refusals = judge_three(hosts, {})
    assert "has 2 standbys (sdw1, smdw)" in refusals[0].found
    monkeypatch.setattr(switchover, "preflight", lambda *_: [])  # nothing of it is in order here
    plan, _refusals = judge_three(hosts, {"master_host": "smdw"})
    assert (plan["new"], plan["followers"]) == ("smdw", {"sdw1": "hawq_mirroring_sdw1"})
    assert (plan["standbys"], plan["slots"]) == (["sdw1"], ["hawq_mirroring_mdw", "hawq_mirroring_sdw1"])


def test_an_interrupted_swap_goes_on_to_the_host_that_was_meant() -> None:
    cut_off = {"server.receiver": None}
    hosts = {"sdw1": standby("sdw1", cut_off), "mdw": given_up("smdw"), "smdw": standby("smdw", cut_off)}
    for options in ({}, {"master_host": "smdw"}, {"master_host": "mdw"}):
        plan, refusals = judge_three(hosts, options)
        assert (refusals, plan["new"], plan["followers"]) == ([], "smdw", {"sdw1": "hawq_mirroring_sdw1"})
    plan, _refusals = judge_three(hosts, {"master_host": "sdw1"})
    assert plan["new"] == "sdw1"
    _plan, refusals = judge_three({**hosts, "smdw": AWAY}, {"master_host": "smdw"})
    assert "smdw is not reachable by SSH (timed out)" in " ".join(refusal.sentence() for refusal in refusals)


def test_a_further_standby_that_a_killed_swap_has_not_told_is_told() -> None:
    new = change(
        mirrored("smdw"),
        {"server.senders": [], "server.standbys": ["sdw1"], "server.timeline": 2, "server.checkpoint_timeline": 2},
    )
    plan, refusals = judge_three(
        {"mdw": given_up("smdw"), "smdw": new, "sdw1": standby("sdw1")}, {"master_host": "smdw"}
    )
    assert refusals == []
    assert (plan["activate"], plan["old"], plan["steps"]["activate"]) == (False, "mdw", ["smdw"])
    assert (plan["followers"], plan["slots"]) == ({"sdw1": "hawq_mirroring_sdw1"}, ["hawq_mirroring_sdw1"])
    assert plan["standbys"] == ["sdw1"]


def test_a_swap_that_goes_on_sets_what_the_standby_needs_first() -> None:
    raised = {"control.at_least": {"max_connections": 200}, "server.receiver": None}
    plan, refusals = judge(given_up("smdw"), standby("smdw", raised), {})
    assert refusals == []
    assert (plan["recovery_settings"], plan["steps"]["settings"]) == ({"max_connections": "200"}, ["smdw"])


def test_a_swap_that_goes_on_needs_no_session() -> None:
    plan, refusals = judge(given_up("smdw"), mute(), {})
    assert (refusals, plan["activate"], plan["new"], plan["start"]) == ([], True, "smdw", False)


EVERY = {**EVERY_KIND, "master": master_of_the_other}


@pytest.mark.parametrize("first", EVERY)
def test_three_hosts_of_any_kinds_are_judged(first: str) -> None:
    """No mixture makes the judgement stumble, and no refusal is without a command."""
    for second, third in itertools.product(EVERY, repeat=2):
        hosts = {"mdw": EVERY[first]("mdw"), "smdw": EVERY[second]("smdw"), "sdw1": EVERY[third]("sdw1")}
        for options in ({}, {"master_host": "smdw"}, {"master_host": "sdw1"}):
            verdict = judge_three(hosts, options)
            assert verdict.plan or verdict.refusals, (second, third, options)
            assert all(each.found and each.why and each.command for each in verdict.refusals)
