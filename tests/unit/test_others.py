# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between a master and its standby, and slots of others: what is refused, planned, told."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import cases
import others
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines import differing, table
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    other_slots,
    slot_files,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    differences,
    members,
    slots,
    switchover,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.report import others as report
from host_needs import NEEDS
from observations import (
    CLOSED,
    HOSTS,
    SLOT,
    Observation,
    crashed,
    mirrored,
    sender,
    slot,
    standby,
    stopped,
    unreachable,
)
from sessions import given, instance_in
from test_init_standby import judged as init_judged
from test_switchover import OPTIONS

Settings = dict[str, str]
#: settings of the master, settings of the standby, and what a swap would lose
LOSSES: dict[str, tuple[Settings, Settings, list[str]]] = {
    "alike": ({"archive_mode": "on"}, {"archive_mode": "on"}, []),
    "archiving": ({"archive_mode": "on", "archive_command": "digest:1"}, {}, ["archive_mode"]),
    "archiving, also as a standby": ({"archive_mode": "always"}, {}, ["archive_mode"]),
    "archives as a master only": ({"archive_mode": "always"}, {"archive_mode": "on"}, []),
    "the standby would begin to archive": ({}, {"archive_mode": "on", "archive_command": "digest:1"}, []),
    "nothing archives on the standby": (
        {"archive_mode": "on", "archive_command": "digest:1"},
        {"archive_mode": "on"},
        ["archive_command"],
    ),
    "by a library instead": (
        {"archive_mode": "on", "archive_command": "digest:1"},
        {"archive_mode": "on", "archive_library": "basic_archive"},
        [],
    ),
    "by another command": (
        {"archive_mode": "on", "archive_command": "digest:1"},
        {"archive_mode": "on", "archive_command": "digest:2"},
        [],
    ),
    "less in the WAL": ({"wal_level": "logical"}, {}, ["wal_level"]),
    "more in the WAL": ({}, {"wal_level": "logical"}, []),
    "a library": (
        {"shared_preload_libraries": "a, b"},
        {"shared_preload_libraries": "b"},
        ["shared_preload_libraries"],
    ),
    "libraries in another order": ({"shared_preload_libraries": "a,b"}, {"shared_preload_libraries": '"b", a'}, []),
    "one library more": ({"session_preload_libraries": "a"}, {"session_preload_libraries": "a,b"}, []),
    "safety": ({}, {"fsync": "off", "full_page_writes": "off"}, ["fsync", "full_page_writes"]),
    "commits": ({}, {"synchronous_commit": "off"}, ["synchronous_commit"]),
    "commits that wait for a standby": ({"synchronous_commit": "remote_apply"}, {}, []),
    "the master itself is careless": ({"synchronous_commit": "off"}, {}, []),
    "encryption": ({"ssl": "on"}, {}, ["ssl"]),
    "no writes": ({}, {"default_transaction_read_only": "on"}, ["default_transaction_read_only"]),
    "no clean-up": ({}, {"autovacuum": "off"}, ["autovacuum"]),
    "damage is served": ({}, {"zero_damaged_pages": "on"}, ["zero_damaged_pages"]),
    "of a host": ({"port": "5433"}, {"primary_conninfo": "digest:1", "cluster_name": "b", "ssl_key_file": "/k"}, []),
}


def pair(mdw: Settings, smdw: Settings) -> tuple[Observation, Observation]:
    here, there = others.configured(**smdw), others.configured(**mdw)
    return mirrored("mdw", {"server.configured": there}), standby("smdw", {"server.configured": here})


@pytest.mark.parametrize(("mdw", "smdw", "lost"), LOSSES.values(), ids=LOSSES)
def test_what_a_swap_would_lose(mdw: Settings, smdw: Settings, lost: list[str]) -> None:
    source, seen = pair(mdw, smdw)
    assert [row.name for row in differences.between(source, seen) if row.loss] == lost
    found = switchover.judge({"mdw": source, "smdw": seen}, HOSTS, {**OPTIONS})
    assert [row.kind for row in found.refusals] == (["settings-lost"] if lost else [])
    told = switchover.judge({"mdw": source, "smdw": seen}, HOSTS, {**OPTIONS, "accept_settings": lost})
    assert told.refusals == []
    assert len(told.plan["settings_lost"]) == len(lost)


def test_tables_that_are_in_no_wal_are_told() -> None:
    rows = [{"database": "shop", "names": ["public.sessions"], "number": 1}]
    mdw = mirrored("mdw", {"server.needs": {**NEEDS, "unlogged": rows}})
    found = switchover.judge({"mdw": mdw, "smdw": standby("smdw")}, HOSTS, {**OPTIONS})
    assert (found.refusals, found.plan["emptied"]) == ([], ["public.sessions of database shop"])
    said = report.facts(found.plan, {}, False)["Unlogged tables"]
    assert said == "EMPTY on smdw, no standby has their rows: public.sessions of database shop"


def test_what_a_host_has_for_itself_is_no_difference() -> None:
    source, seen = pair(*LOSSES["of a host"][:2])
    assert differences.between(source, seen) == []
    assert all(reason for reason in differing.POSTGRESQL.own.values())
    assert set(table.POSTGRESQL.standby_at_least) <= set(differing.POSTGRESQL.own)
    assert set(table.POSTGRESQL.standby_settings) <= set(differing.POSTGRESQL.own)


def test_unknown_is_no_difference() -> None:
    source, seen = pair({"archive_mode": "on"}, {})
    for side in (source, seen):
        del side["server"]["configured"]
        assert differences.between(source, seen) == []
    assert differences.between(unreachable(), seen) == []


def test_a_secret_is_not_shown_and_a_list_is_set_as_one() -> None:
    source, seen = pair(
        {"archive_mode": "on", "archive_command": "digest:68934a3e9455", "shared_preload_libraries": "a,b"},
        {"archive_mode": "on", "shared_preload_libraries": "c"},
    )
    (found,) = switchover.judge({"mdw": source, "smdw": seen}, HOSTS, {**OPTIONS}).refusals
    assert "archive_command is empty on smdw and set on mdw" in found.found
    assert "SET shared_preload_libraries = 'c', 'a', 'b'" in found.command
    assert "write archive_command into the configuration of smdw as mdw has it" in found.command
    assert "systemctl restart hawq-master.service" in found.command
    assert "-e accept_settings=archive_command,shared_preload_libraries" in found.command
    assert "digest:" not in found.sentence()


def test_what_a_shell_would_change_is_not_pasted() -> None:
    source, seen = pair({"shared_preload_libraries": 'a"b$(id)'}, {})
    rows = differences.between(source, seen)
    assert "$(id)" not in differences.mend(rows, "mdw", "smdw", seen)


@pytest.mark.parametrize("host", ["mdw", "smdw"])
def test_a_configuration_that_would_not_start_stops_a_switchover(host: str) -> None:
    hosts = {"mdw": mirrored(), "smdw": standby()}
    hosts[host]["server"]["configuration_errors"] = [f"{others.CONF} line 7: foo unrecognized configuration parameter"]
    (found,) = switchover.judge(hosts, HOSTS, {**OPTIONS}).refusals
    assert (found.kind, host in found.found) == ("configuration-errors", True)


@pytest.mark.parametrize("host", ["mdw", "smdw"])
def test_a_file_that_has_vanished_stops_a_switchover(host: str) -> None:
    hosts = {"mdw": mirrored(), "smdw": standby()}
    gone = {"setting": "ssl_ca_file", "path": "/etc/ca.crt", "wanted": "read", "starts": True, "trouble": "missing"}
    hosts[host]["named"] = [gone, {**gone, "setting": "ident_file", "starts": False}]
    (found,) = switchover.judge(hosts, HOSTS, {**OPTIONS}).refusals
    assert (found.kind, host in found.found) == ("named-place", True)
    assert "scp -3 -p" in found.command
    for seen in hosts.values():
        seen["named"] = [gone]
    assert "ls -l /etc" in switchover.judge(hosts, HOSTS, {**OPTIONS}).refusals[0].command
    for seen in hosts.values():
        del seen["named"]  # as an observation of before has it
    assert switchover.judge(hosts, HOSTS, {**OPTIONS}).refusals == []


#: slots of the master, slots of the standby, what is refused, what would be lost
SLOTS: dict[str, tuple[list[t.Any], list[t.Any], list[str]]] = {
    "none of others": ([], [], []),
    "a physical one": ([others.BARMAN], [], ["barman"]),
    "a logical one": ([others.DEBEZIUM], [], ["debezium"]),
    "made on both by hand": ([others.BARMAN], [others.BARMAN], []),
    "of another kind": ([others.BARMAN], [{**others.DEBEZIUM, "name": "barman"}], ["barman"]),
    "that goes with its connection": ([{**others.BARMAN, "temporary": True}], [], []),
    "that has ended": ([{**others.BARMAN, "lost": True}], [], []),
    "that has ended on the standby": ([others.BARMAN], [{**others.BARMAN, "lost": True}], ["barman"]),
    "synchronised": ([others.FAILOVER], [others.SYNCED], []),
    "not yet synchronised": ([others.FAILOVER], [others.WAITING], ["debezium"]),
    "logical, with a name like ours": ([{**others.DEBEZIUM, "name": "hawq_mirroring_x"}], [], ["hawq_mirroring_x"]),
}


@pytest.mark.parametrize(("mdw", "smdw", "lost"), SLOTS.values(), ids=SLOTS)
def test_slots_of_others_in_a_switchover(mdw: list[t.Any], smdw: list[t.Any], lost: list[str]) -> None:
    hosts = {
        "mdw": mirrored("mdw", {"server.slots": [slot(), *mdw]}),
        "smdw": standby("smdw", {"server.slots": smdw}),
    }

    def judged(choice: str | None) -> t.Any:
        return switchover.judge(hosts, HOSTS, {**OPTIONS, **({"other_slots": choice} if choice else {})})

    assert [row.kind for row in judged(None).refusals] == (["other-slots"] if lost else [])
    assert [row.kind for row in judged("refuse").refusals] == (["other-slots"] if lost else [])
    gone, anew = judged("lose").plan, judged("remake").plan
    assert [text.split(" ")[0] for text in gone["other_slots"]["lost"]] == lost
    assert [row["name"] for row in anew["other_slots"]["make"]] == lost
    assert anew["steps"]["other_slots"] == (["smdw"] if lost else [])
    assert gone["steps"]["other_slots"] == []
    # before the promotion, so that no WAL is missing
    physical = [row["name"] for row in mdw if row["physical"] and row["name"] in lost]
    assert anew["slots"] == ["hawq_mirroring_mdw", *physical]


def test_whoever_uses_a_slot_is_named() -> None:
    used = {**others.DEBEZIUM, "active": True, "active_pid": 7}
    row = sender(7, "shop_subscription", address="10.9.0.77/32")
    source = mirrored("mdw", {"server.slots": [used], "server.senders": [row]})
    assert slots.words(used, source).endswith("confirmed up to 0/2000060, used by shop_subscription at 10.9.0.77)")


MISSES = "its consumer may miss changes between"
DEAD = crashed({"slot_files": [{**others.DEBEZIUM, "database": "16384"}, slot(active=False, active_pid=None)]})


@pytest.mark.parametrize(
    ("mdw", "options", "expected"),
    [
        (DEAD, {}, "LOST with mdw: debezium (logical, pgoutput, database app, confirmed up to 0/2000060)"),
        (DEAD, {"other_slots": "remake"}, f"debezium made anew: {MISSES} 0/2000060 and 0/9"),
        (unreachable(), {"master_is_down": True}, report.UNKNOWN),
        (crashed(), {}, None),
    ],
    ids=["told", "made anew", "nobody can look", "none"],
)
def test_a_failover_tells_what_is_lost(mdw: Observation, options: dict[str, t.Any], expected: str | None) -> None:
    plan = cases.failover({"mdw": mdw, "smdw": standby("smdw", CLOSED)}, options).plan
    done = {"made": ["debezium"], "begin": {"debezium": "0/9"}, "trouble": {}}
    assert report.facts(plan, done, False).get("Slots of others") == expected


def test_a_failover_tells_of_slots_that_are_there_and_of_one_that_could_not_be_made() -> None:
    smdw = standby("smdw", {**CLOSED, "server.slots": [others.SYNCED]})
    mdw = crashed({"slot_files": [others.FAILOVER, others.BARMAN, {**others.DEBEZIUM, "name": "x"}]})
    plan = cases.failover({"mdw": mdw, "smdw": smdw}, {"other_slots": "remake"}).plan
    assert plan["other_slots"]["kept"] == ["debezium"]
    text = report.facts(plan, {"trouble": {"x": "no such database."}}, False)["Slots of others"]
    assert text == (
        "barman made anew, before the promotion; x COULD NOT be made anew (no such database); kept: debezium"
    )
    checked = report.facts(plan, {}, True)["Slots of others"]
    assert checked == "barman is to be made anew; x is to be made anew; kept: debezium"


def test_a_failover_tells_of_settings() -> None:
    mdw = crashed({"configuration.asks_for": {"archive_mode": "on", "wal_level": "replica"}})
    smdw = standby("smdw", {**CLOSED, "server.configured": {}})
    plan = cases.failover({"mdw": mdw, "smdw": smdw}, {}).plan
    assert report.facts(plan, {}, False)["Settings that smdw lacks"] == (
        "archive_mode is off on smdw and on on mdw: WAL would not be archived any more"
    )


@pytest.mark.parametrize(
    ("content", "name", "confirmed", "number"),
    [
        ("physical, of 15", "barman", None, None),
        ("logical, of 15", "debezium", "0/2000060", "16384"),
        ("for standbys, of 18", "debezium", "0/1AEFEE0", "16384"),
    ],
)
def test_a_slot_is_read_from_its_file(content: str, name: str, confirmed: str | None, number: str | None) -> None:
    found = slot_files.parse(bytes.fromhex(others.FILES[content]))
    assert found
    assert (found["name"], found["confirmed_lsn"], found["database"]) == (name, confirmed, number)
    assert (found["physical"], found["failover"]) == (number is None, content.endswith("18"))
    assert set(found) == set(slot())


def test_what_is_no_slot_file_is_none(tmp_path: Path) -> None:
    assert slot_files.parse(bytes.fromhex(others.FILES["temporary, of 18"])) is None
    assert slot_files.parse(b"\xff" * 200) is None
    assert slot_files.parse(b"") is None
    place = tmp_path / "pg_replslot"
    for each, content in {"a": others.FILES["physical, of 15"], "b": "00"}.items():
        (place / each).mkdir(parents=True)
        (place / each / "state").write_bytes(bytes.fromhex(content))
    (place / "c").mkdir()
    assert [row["name"] for row in slot_files.read(instance_in(tmp_path))] == ["barman"]


def judge_init(mdw: Observation, smdw: Observation) -> t.Any:
    return init_judged({"mdw": mdw, "smdw": smdw}, {})


GIGABYTE = 1 << 30
ROOM = {"data_directory.wal_free_bytes": 9 * GIGABYTE, "server.wal_bytes": GIGABYTE}


@pytest.mark.parametrize(
    ("rows", "limit"),
    [
        ([], 64),
        ([{**others.DEBEZIUM, "retained_bytes": 200 << 20}], 8192),
        ([{**others.DEBEZIUM, "retained_bytes": 9 * GIGABYTE}], None),
        ([{**others.DEBEZIUM, "lost": True}], 64),
        ([slot("hawq_mirroring_x", retained_bytes=9 * GIGABYTE)], 64),
    ],
    ids=["nobody else's", "behind (75)", "behind more than the disk can hold", "ended already", "another one of ours"],
)
def test_our_limit_ends_nobody_elses_slot(rows: list[t.Any], limit: int | None) -> None:
    source = mirrored("mdw", {"server.slots": [slot(), *rows], "server.settings.kept_wal_limit_bytes": None, **ROOM})
    assert slots.wal_limit(source, 64) == limit
    refused = [row.kind for row in slots.limit_refusal("mdw", source, 64)]
    assert refused == ([] if limit else ["slot-would-be-lost"])


@pytest.mark.parametrize(
    ("mark", "limit", "expected"),
    [
        ("10240 -1", 10240, {"max_slot_wal_keep_size": None}),
        ("2048 4096", 2048, {"max_slot_wal_keep_size": "4096MB"}),
        ("10240 -1", 4096, {}),
        (None, 10240, {}),
        ("10240 -1", None, {}),
    ],
    ids=["there was none", "there was another", "somebody has set another since", "not ours", "taken away"],
)
def test_a_removal_takes_the_limit_back(mark: str | None, limit: int | None, expected: dict[str, t.Any]) -> None:
    source = mirrored(
        "mdw",
        {"server.kept_wal_mark": mark, "server.settings.kept_wal_limit_bytes": limit and limit << 20},
    )
    plan = cases.removal({"mdw": source, "smdw": standby()}, {}).plan
    assert plan["late_settings"] == expected
    assert plan["steps"]["late_settings"] == (["mdw"] if expected else [])


def test_a_further_standby_keeps_the_limit() -> None:
    overrides = {"server.kept_wal_mark": "10240 -1", "server.standbys": ["sdw1", "smdw"]}
    hosts = {"mdw": mirrored("mdw", overrides), "smdw": standby(), "sdw1": standby("sdw1")}
    assert cases.removal(hosts, {"standby_host": "smdw"}).plan["late_settings"] == {}


def test_consumers_wait_for_no_standby_that_is_removed() -> None:
    told = others.configured(synchronized_standby_slots=f"{SLOT},hawq_mirroring_x")
    source = mirrored("mdw", {**others.SEVENTEEN, "server.configured": told})
    plan = cases.removal({"mdw": source, "smdw": standby("smdw", others.SEVENTEEN)}, {}).plan
    assert plan["late_settings"] == {"synchronized_standby_slots": "hawq_mirroring_x"}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (stopped("mdw", {"data_directory.fenced": True, "data_directory.slots": ["barman", SLOT]}), ["barman"]),
        (stopped("mdw", {"data_directory.slots": ["barman"]}), []),
        (standby("mdw", {"data_directory.fenced": True, "data_directory.slots": ["barman"]}), []),
    ],
    ids=["a former master", "nobody has fenced it", "it runs as a standby already"],
)
def test_slots_of_a_life_as_master(seen: Observation, expected: list[str]) -> None:
    assert slots.left(seen) == expected


def test_slots_are_synchronised_where_some_are_to_be() -> None:
    source = mirrored("mdw", {**others.SEVENTEEN, "server.slots": [slot(), others.FAILOVER]})
    plan = judge_init(source, standby("smdw", others.SEVENTEEN)).plan
    assert plan["slots_connection"] == {"dbname": "postgres"}
    assert plan["standby_settings"] == {"sync_replication_slots": "on", "hot_standby_feedback": "on"}
    assert plan["late_settings"] == {"synchronized_standby_slots": SLOT}
    assert plan["steps"]["slot_passwords"] == ["mdw", "smdw"]
    assert plan["steps"]["let_in"] == ["mdw", "smdw"]
    assert [line.split()[1] for line in plan["hba_lines"]] == ["replication"] * 2 + ["postgres"] * 2


def test_once_synchronised_it_stays_so() -> None:
    """Also while there is no such slot: a switchover is not refused for its lines."""
    lines = judge_init(
        mirrored("mdw", {**others.SEVENTEEN, "server.slots": [slot(), others.FAILOVER]}),
        standby("smdw", others.SEVENTEEN),
    ).plan["hba_lines"]
    access = {**others.SEVENTEEN, "blocks.access": lines}
    hosts = {"mdw": mirrored("mdw", access), "smdw": standby("smdw", {**access, "follows.database": "postgres"})}
    plan = judge_init(hosts["mdw"], hosts["smdw"]).plan
    assert (plan["hba_lines"], plan["slots_connection"]) == (lines, {"dbname": "postgres"})
    assert plan["late_settings"] == {}
    swap = switchover.judge(hosts, HOSTS, {**OPTIONS})
    assert (swap.refusals, swap.plan["slots_connection"]) == ([], {"dbname": "postgres"})
    assert members.lines_between(hosts, HOSTS, ["mdw", "smdw"], "hawq_mirroring") == lines


def test_an_older_engine_synchronises_nothing() -> None:
    plan = judge_init(mirrored("mdw", {"server.slots": [slot(), others.FAILOVER]}), standby()).plan
    assert (plan["slots_connection"], plan["standby_settings"], plan["late_settings"]) == ({}, {}, {})


HAND_MADE = {
    "follows_slot": "node2_slot",
    "server.receiver.slot": "node2_slot",
}
#: for whom commits wait, what else streams, and whether that is refused
WAITS: dict[str, tuple[str, list[str], str | None]] = {
    "for nobody": ("", [], None),
    "for it alone (80)": ("node2", [], "FIRST 1 (node2, smdw)"),
    "for it, as FIRST": ('FIRST 1 ("node2")', [], "FIRST 1 (node2, smdw)"),
    "for it, with a strange name beside": ('node2, "b-c"', [], 'FIRST 1 (node2, \\"b-c\\", smdw)'),
    "for anybody": ("*", [], None),
    "for both names": ("node2,smdw", [], None),
    "for one of two": ("ANY 1 (node2, other)", ["other"], None),
    "for both of two": ("ANY 2 (node2, other)", ["other"], "ANY 2 (node2, other, smdw)"),
    "for somebody who is away": ("other", [], None),
}


@pytest.mark.parametrize(("names", "further", "value"), WAITS.values(), ids=WAITS)
def test_a_standby_that_commits_wait_for_is_not_renamed(names: str, further: list[str], value: str | None) -> None:
    source = mirrored(
        "mdw",
        {
            "server.settings.synchronous_standbys": names,
            "server.standbys": [],
            "server.senders": [
                sender(4711, "node2"),
                *(sender(4800 + n, name, address="10.9.0.9") for n, name in enumerate(further)),
            ],
            "server.slots": [slot("node2_slot")],
        },
    )
    verdict = judge_init(source, standby("smdw", HAND_MADE))
    assert [row.kind for row in verdict.refusals] == (["synchronous-by-name"] if value else [])
    if value:
        assert f"SET synchronous_standby_names = '{value}'" in verdict.refusals[0].command
    else:
        assert verdict.plan["old_slots"] == [{"name": "node2_slot"}]
        assert verdict.plan["steps"]["old_slot"] == ["mdw"]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ({"server.slots": [slot("node2_slot", active=False, active_pid=None)]}, HAND_MADE),
        ({"server.slots": [slot("node2_slot")], "server.senders": [sender(address="10.9.0.9")]}, HAND_MADE),
        ({}, {}),
    ],
    ids=["nobody uses it", "somebody else uses it", "it is ours"],
)
def test_a_slot_that_is_not_proven_to_be_its_own_stays(source: dict[str, t.Any], seen: dict[str, t.Any]) -> None:
    assert judge_init(mirrored("mdw", source), standby("smdw", seen)).plan["old_slots"] == []


def test_slots_are_made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(
        monkeypatch,
        {
            other_slots.THERE: [{"slot_name": "barman"}],
            other_slots.DATABASE: [{"datname": "app"}],
            other_slots.VERSION: [{"number": 180001}],
            other_slots.PLACE: [{"lsn": "0/9"}],
        },
    )
    rows: list[dict[str, t.Any]] = [dict(others.BARMAN), dict(others.FAILOVER), {**others.BARMAN, "name": "x"}]
    done = other_slots.make(instance_in(tmp_path), True, rows)
    assert (done["made"], done["begin"], done["trouble"]) == (["debezium", "x"], {"debezium": "0/9"}, {})
    assert cursor.told == [
        "SELECT FROM pg_create_logical_replication_slot(debezium, pgoutput, False, True, True)",
        "SELECT pg_create_physical_replication_slot(x, true)",
    ]


def test_a_slot_that_cannot_be_made_stops_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, {other_slots.VERSION: [{"number": 150001}]})
    done = other_slots.make(instance_in(tmp_path), True, [dict(others.DEBEZIUM)])
    assert (done["made"], done["trouble"]) == ([], {"debezium": "there is no database app"})


def test_only_slots_that_nobody_uses_are_dropped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(monkeypatch, {other_slots.UNUSED: [{"slot_name": "a"}]})
    assert other_slots.drop(instance_in(tmp_path), False, ["a", "b"])["dropped"] == ["a"]
    assert cursor.told == []
    assert other_slots.drop(instance_in(tmp_path), True, ["a", "b"])["changed"]
    assert cursor.told == ["SELECT pg_drop_replication_slot(a)"]


def test_every_loss_has_words() -> None:
    rules = differing.POSTGRESQL
    assert set(rules.losses) >= {*rules.ranks, *rules.lists}
    assert all(re.fullmatch(r"[a-zA-Z].*[a-z]", words) for words in rules.losses.values())
