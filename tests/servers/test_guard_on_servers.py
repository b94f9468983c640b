# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard and the witnesses on a real pair: how long commits wait, and what is acknowledged.

Needs PostgreSQL's programs, psycopg2, and root, which becomes the server's user.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database
from ansible_collections.hawq.mirroring.plugins.module_utils.host import ledger_file
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger
from guarded import GUARD, MASTER, STANDBY, Client, Pair, Program, until
from test_names import PROGRAMS

pytestmark = pytest.mark.skipif(
    PROGRAMS is None or os.geteuid() != 0 or not database.HAS_PSYCOPG2,
    reason="needs PostgreSQL's programs, psycopg2, and root to become the server's user",
)
#: seconds of mirroring_degrade_after here, and what a stall may last beyond them
DEGRADE_AFTER, ROUND = 0.6, 2.0
#: what stands in the way of a busy machine of two cores
PATIENCE = 60
NAMES = 'ANY 1 ("smdw")'
HELD = 'ANY 1 ("hawq_mirroring_nobody")'

#: a guard that is killed at one of its steps. Usage: SETTINGS, the name of the step, when, a word of its arguments
KILLED = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "unit")!r})
from programs import loaded
guard = loaded({str(GUARD)!r})
name, done, word = sys.argv.pop(2), sys.argv.pop(2) == "after", sys.argv.pop(2)
whole = guard.Guard.{{}}
def step(self, *words):
    hit = word in repr(words)
    if not hit or done:
        answer = whole(self, *words)
    if hit:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
"""


@pytest.fixture(scope="module")
def pair() -> t.Iterator[Pair]:
    found = Pair(Path("/tmp", f"hawq-guard-{os.getpid()}"))
    try:
        found.make()
        found.guard.told(degrade_after=DEGRADE_AFTER)
        for each in found.witnesses:
            begin(found, each)
        yield found
    finally:
        print(found.guard.says())
        found.end()


def begin(pair: Pair, witness: Program) -> None:
    command = [sys.executable, "-I", str(witness.program), str(witness.path), "begin", pair.system()]
    subprocess.run(command, check=True, timeout=30, stdout=subprocess.PIPE)


def a_round() -> float:
    """The seconds that a round may take: each step takes longer where more wants to run than there are cores."""
    return ROUND * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def state(pair: Pair) -> str:
    return str(pair.state().get("state"))


def is_synchronous(pair: Pair) -> bool:
    return state(pair) == "SYNCHRONOUS" and pair.names() == NAMES


def mirroring(pair: Pair) -> str:
    return pair.master.sql("SELECT summary_state FROM public.gp_master_mirroring")


def start(pair: Pair) -> None:
    for each in (pair.guard, *pair.witnesses):
        if each.process is None:
            each.start()
    if not pair.standby.pids():
        pair.standby.start()
    until(lambda: is_synchronous(pair), PATIENCE, "not synchronous")


@pytest.fixture
def client(pair: Pair) -> t.Iterator[Client]:
    """A client of a pair that is synchronous; afterwards everything is let go on."""
    start(pair)
    found = Client(pair.master)
    found.start()
    until(lambda: len(found.acknowledged) > 5, PATIENCE, "no commit")
    yield found
    for each in (pair.guard, *pair.witnesses):
        if each.process:
            each.signal(signal.SIGCONT)
    pair.standby.signal(signal.SIGCONT)
    pair.guard.told(mode="synchronous", witnesses=["w1", "w2", "w3"], degrade_after=DEGRADE_AFTER)
    start(pair)
    found.stop()
    assert not found.error
    # whoever was told that his commit is safe has it on the standby now
    last = pair.master.sql("SELECT pg_current_wal_flush_lsn()")
    there = f"SELECT pg_last_wal_replay_lsn() >= '{last}'"
    until(lambda: pair.standby.sql(there) == "t", PATIENCE, "the standby does not follow")
    assert int(pair.standby.sql("SELECT count(*) FROM public.ledger")) >= len(found.acknowledged)


def go_on(client: Client, seconds: float = 0.5) -> float:
    """Return for how long the client waited at most until it went on."""
    before = len(client.acknowledged)
    until(lambda: len(client.acknowledged) > before + 3, PATIENCE, "commits wait")
    return client.longest()


def records(pair: Pair) -> list[ledger.Record]:
    found = [ledger.parse(ledger_file.read(each.settings["record"]) or "")[0] for each in pair.witnesses]
    return [each for each in found if each]


def consent(pair: Pair) -> int:
    """How many witnesses have on their disks that the master may go on alone."""
    return sum(bool(each.wish and each.wish.kind == ledger.ALONE) for each in records(pair))


def lose(pair: Pair, how: str) -> None:
    if how == "killed":
        pair.standby.stop()
    else:
        pair.standby.signal(signal.SIGSTOP)


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_lost_standby_stalls_commits_for_a_moment_and_is_waited_for_again(
    pair: Pair, client: Client, how: str
) -> None:
    begin = time.monotonic()
    lose(pair, how)
    until(lambda: pair.names() == "", PATIENCE, "commits wait")
    go_on(client)
    assert client.longest(begin) <= DEGRADE_AFTER + a_round()
    assert consent(pair) >= 2
    assert mirroring(pair) == "Not Synchronized"
    if how == "killed":
        pair.standby.start()
    pair.standby.signal(signal.SIGCONT)
    there = "SELECT count(*) FROM pg_stat_replication WHERE flush_lsn >= pg_current_wal_lsn() - 100000::numeric"
    until(lambda: pair.master.sql(there) == "1", PATIENCE, "not caught up")
    assert until(lambda: is_synchronous(pair), PATIENCE, "not synchronous") <= a_round()
    until(lambda: mirroring(pair) == "Synchronized", PATIENCE)


def test_without_a_majority_no_commit_is_released(pair: Pair, client: Client) -> None:
    for each in pair.witnesses[:2]:
        each.kill()
    lose(pair, "frozen")
    time.sleep(0.3)
    acknowledged = len(client.acknowledged)
    time.sleep(DEGRADE_AFTER + ROUND + 1)
    assert (len(client.acknowledged), pair.names(), state(pair)) == (acknowledged, NAMES, "DEGRADING")
    pair.witnesses[0].start()
    until(lambda: pair.names() == "", PATIENCE)
    go_on(client)


def test_a_witness_that_has_promised_a_newer_timeline_does_not_grant(pair: Pair, client: Client) -> None:
    def change(path: str, new: t.Callable[[ledger.Record], ledger.Record | None]) -> None:
        with ledger_file.locked(path):
            record = ledger.parse(ledger_file.read(path) or "")[0]
            assert record
            changed = new(record)
            assert changed
            ledger_file.keep(path, ledger.render(changed))

    paths = [each.settings["record"] for each in pair.witnesses[:2]]
    system = pair.system()
    try:
        for path in paths:
            change(path, lambda record: ledger.promise(record, 2, STANDBY, time.time(), "a run", system).record)
        lose(pair, "frozen")
        time.sleep(0.3)
        acknowledged = len(client.acknowledged)
        until(lambda: "serves timeline 2" in pair.state()["reason"], PATIENCE)
        time.sleep(DEGRADE_AFTER + ROUND)
        assert (len(client.acknowledged), pair.names()) == (acknowledged, NAMES)
        assert consent(pair) <= 1
    finally:
        for path in paths:
            change(path, lambda record: ledger.withdraw(record, 2, STANDBY, "a run"))
    go_on(client)


def test_witnesses_that_are_started_again_meanwhile(pair: Pair, client: Client) -> None:
    begin = time.monotonic()
    lose(pair, "frozen")
    while pair.names() != "":
        for each in pair.witnesses:
            each.kill()
            each.start()
        time.sleep(0.7)
        assert time.monotonic() - begin < PATIENCE
    go_on(client)
    assert consent(pair) >= 2


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_guard_that_is_killed_or_hangs_harms_nothing(pair: Pair, client: Client, how: str) -> None:
    if how == "killed":
        pair.guard.kill()
    else:
        pair.guard.signal(signal.SIGSTOP)
    time.sleep(1)
    assert go_on(client) < a_round()
    lose(pair, "frozen")
    time.sleep(0.3)
    acknowledged = len(client.acknowledged)
    time.sleep(DEGRADE_AFTER + ROUND)
    assert (len(client.acknowledged), pair.names()) == (acknowledged, NAMES)
    if how == "killed":
        pair.guard.start()
    else:
        pair.guard.signal(signal.SIGCONT)
    until(lambda: pair.names() == "", PATIENCE)
    go_on(client)


#: name of a step, whether it was done, and a word of what it was about
LOSING = [
    ("do", "before", "ask=Wish("),
    ("do", "after", "ask=Wish("),
    ("do", "before", "set=(None,)"),
    ("change", "after", "None"),
    ("do", "after", "set=(None,)"),
    ("keep", "before", "ALONE"),
]


def killed_guard(pair: Pair, name: str, when: str, word: str) -> None:
    """Run a guard that is killed at this step, until it is."""
    pair.guard.kill()
    driver = KILLED.format(name) + f"guard.Guard.{name} = step\nguard.main()\n"
    command = [sys.executable, "-c", driver, str(pair.guard.path), name, when, word]
    with pair.guard.log.open("ab") as log:
        done = subprocess.run(command, stdout=log, stderr=log, timeout=PATIENCE, cwd="/", check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("name", "when", "word"), LOSING)
def test_a_guard_that_is_killed_while_a_standby_is_lost(
    pair: Pair, client: Client, name: str, when: str, word: str
) -> None:
    lose(pair, "frozen")
    killed_guard(pair, name, when, word)
    time.sleep(0.3)
    acknowledged = len(client.acknowledged)
    time.sleep(1)
    # they wait as they did, or go on as a majority knows
    assert len(client.acknowledged) == acknowledged or consent(pair) >= 2
    pair.guard.start()
    until(lambda: pair.names() == "", PATIENCE)
    assert consent(pair) >= 2
    go_on(client)


BACK = [
    ("do", "before", "set=(Waits("),
    ("change", "after", "Waits("),
    ("do", "before", "kind='synchronous'"),
    ("do", "after", "kind='synchronous'"),
]


@pytest.mark.parametrize(("name", "when", "word"), BACK)
def test_a_guard_that_is_killed_while_a_standby_comes_back(
    pair: Pair, client: Client, name: str, when: str, word: str
) -> None:
    lose(pair, "frozen")
    until(lambda: pair.names() == "", PATIENCE)
    pair.guard.kill()
    pair.standby.signal(signal.SIGCONT)
    killed_guard(pair, name, when, word)
    lose(pair, "frozen")
    time.sleep(0.3)
    acknowledged = len(client.acknowledged)
    time.sleep(1)
    goes_on = len(client.acknowledged) > acknowledged
    if goes_on:  # then nobody has been told that commits wait
        assert pair.names() == ""
        assert not any(each.wish.kind == ledger.SYNCHRONOUS for each in records(pair) if each.wish)
    pair.guard.start()
    until(lambda: pair.names() == "", PATIENCE)
    go_on(client)


def test_that_commits_wait_is_not_said_before_the_checkpointer_has_heard_of_it(pair: Pair, client: Client) -> None:
    """By its flag they wait. A checkpoint that writes to a slow disk does not hear for long."""
    lose(pair, "frozen")
    until(lambda: pair.names() == "", PATIENCE)
    checkpointer = int(pair.master.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"))
    os.kill(checkpointer, signal.SIGSTOP)
    try:
        pair.standby.signal(signal.SIGCONT)
        until(lambda: pair.names() == NAMES, PATIENCE)
        time.sleep(1.5)
        assert state(pair) == "ARMING"
        lose(pair, "frozen")
        go_on(client)  # they do not wait, whatever is set
        assert not any(each.wish.kind == ledger.SYNCHRONOUS for each in records(pair) if each.wish)
        pair.standby.signal(signal.SIGCONT)
    finally:
        os.kill(checkpointer, signal.SIGCONT)
    until(lambda: is_synchronous(pair), PATIENCE)


def test_planned_work_stalls_nobody(pair: Pair, client: Client) -> None:
    begin = time.monotonic()
    pair.master.sql(f"SELECT public.hawq_mirroring_release('{STANDBY}')")
    until(lambda: pair.names() == "", PATIENCE)
    until(lambda: pair.state()["released"] == [STANDBY] and state(pair) == "ALONE", PATIENCE)
    pair.standby.stop()
    go_on(client)
    assert client.longest(begin) < a_round() / 2
    pair.standby.start()
    time.sleep(2)
    assert pair.names() == ""
    assert "its planned work" in pair.master.sql("SELECT error_message FROM public.gp_master_mirroring")
    pair.master.sql(f"SELECT public.hawq_mirroring_wait_again('{STANDBY}')")


@pytest.mark.parametrize("value", ["*", "ANY 1 (smdw)"])
def test_what_somebody_else_has_set_is_told_and_left(pair: Pair, client: Client, value: str) -> None:
    pair.master.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{value}'")
    pair.master.sql("SELECT pg_reload_conf()")
    until(lambda: "is not the guard's" in pair.state()["reason"], PATIENCE)
    time.sleep(1)
    assert pair.names() == value
    assert mirroring(pair) == "Not Synchronized"
    pair.master.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
    pair.master.sql("SELECT pg_reload_conf()")


def test_strict_is_never_alone(pair: Pair, client: Client) -> None:
    pair.guard.told(mode="strict")
    lose(pair, "frozen")
    time.sleep(0.3)
    acknowledged = len(client.acknowledged)
    time.sleep(DEGRADE_AFTER + ROUND)
    assert len(client.acknowledged) == acknowledged
    assert pair.names() != ""


def test_asynchronous_waits_for_nobody(pair: Pair, client: Client) -> None:
    begin = time.monotonic()
    pair.guard.told(mode="asynchronous")
    until(lambda: pair.names() == "", PATIENCE)
    assert consent(pair) >= 2
    until(lambda: mirroring(pair) == "Synchronized", PATIENCE)
    lose(pair, "frozen")
    go_on(client)
    assert client.longest(begin) < a_round() / 2


def test_without_witnesses_it_goes_on_alone_all_the_same(pair: Pair, client: Client) -> None:
    pair.guard.told(witnesses=[])
    until(lambda: "no witness is registered" in pair.state()["reason"], PATIENCE)
    for each in pair.witnesses:
        each.kill()
    begin = time.monotonic()
    lose(pair, "frozen")
    until(lambda: pair.names() == "", PATIENCE)
    go_on(client)
    assert client.longest(begin) <= DEGRADE_AFTER + a_round()


def test_a_clients_transaction_that_holds_what_the_guard_writes_its_state_to(pair: Pair, client: Client) -> None:
    """It waits for the standby, and the guard's state waits for it: the release does not."""
    lose(pair, "frozen")
    held = (
        "BEGIN; ALTER ROLE repl SET work_mem = '4MB'; NOTIFY somebody; INSERT INTO public.ledger DEFAULT VALUES; COMMIT"
    )
    words = [
        "-XAtq",
        "-h",
        str(pair.place),
        "-p",
        str(pair.master.port),
        "-U",
        "postgres",
        "-d",
        "postgres",
        "-c",
        held,
    ]
    with subprocess.Popen([f"{PROGRAMS}/psql", *words], stdout=subprocess.DEVNULL) as process:
        until(lambda: pair.names() == "", PATIENCE)
        process.wait(PATIENCE)


def test_a_restart_of_the_server_changes_no_state(pair: Pair, client: Client) -> None:
    until(lambda: mirroring(pair) == "Synchronized", 5)
    # a standby tries again after five seconds
    pair.guard.told(degrade_after=8)
    shown = "SELECT log_time FROM public.gp_master_mirroring"
    since = pair.master.sql(shown)
    client.stop()
    pair.master.stop("fast")
    pair.master.start()
    until(lambda: is_synchronous(pair) and mirroring(pair) == "Synchronized", PATIENCE)
    time.sleep(1.5)
    assert pair.master.sql(shown) == since
    client.error = ""


def test_history(pair: Pair, client: Client) -> None:
    pair.master.sql("TRUNCATE public.hawq_mirroring_change")
    lose(pair, "killed")
    until(lambda: pair.names() == "", PATIENCE)
    words = "SELECT string_agg(summary_state, ', ' ORDER BY log_time DESC) FROM public.gp_master_mirroring_history"
    until(lambda: "Not Synchronized" in pair.master.sql(words + f" WHERE standby = '{STANDBY}'"), PATIENCE)
    pair.standby.start()
    until(lambda: mirroring(pair) == "Synchronized", PATIENCE)
    ours = words + f" WHERE standby = '{STANDBY}' AND summary_state <> 'Synchronizing'"
    until(lambda: pair.master.sql(ours) == "Synchronized, Not Synchronized", PATIENCE)
    found = pair.master.sql("SELECT error_message FROM public.gp_master_mirroring_history WHERE standby = ''")
    assert all(f"{each}: " in found for each in ("DEGRADING", "ALONE", "ARMING", "SYNCHRONOUS"))
    pair.master.sql(
        "INSERT INTO public.hawq_mirroring_change (log_time, standby, summary_state, timeline, lsn)"
        " SELECT now(), 'x', 'Synchronized', 1, '0/1' FROM generate_series(1, 1500)"
    )
    lose(pair, "killed")
    until(lambda: pair.master.sql("SELECT count(*) FROM public.hawq_mirroring_change") == "1000", PATIENCE)


def test_it_costs_little(pair: Pair, client: Client) -> None:
    find = "SELECT pid FROM pg_stat_activity WHERE application_name = 'hawq_mirroring_guard'"
    backend = pair.master.sql(find)

    def spent() -> float:
        words = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
        return pair.guard.cpu() + (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    before, seconds = spent(), 5
    time.sleep(seconds)
    cost = (spent() - before) / seconds
    print(f"the guard and its session cost {cost:.2%} of a core")
    assert cost <= 0.01


def test_a_standby_that_is_activated_acknowledges_nothing_before_the_witnesses_know(pair: Pair) -> None:
    """The last one: the pair is another one afterwards."""
    start(pair)
    other = pair.guard_of(pair.standby, [MASTER, STANDBY], ["w1", "w2", "w3"])
    other.told(degrade_after=DEGRADE_AFTER)
    other.start()
    try:
        until(lambda: pair.standby.sql("SHOW synchronous_standby_names") == HELD, PATIENCE)
        for each in pair.witnesses[:2]:
            each.kill()
        names = [each.name for each in records(pair)]
        number = max(each.wish.number for each in records(pair) if each.wish)
        # as if nobody had told the number: the witnesses do
        told = {"timeline": 2, "number": 0, "witnesses": [names]}
        (pair.standby.data / "hawq_mirroring.inherited").write_text(json.dumps(told))
        pair.guard.kill()
        pair.master.stop()
        pair.standby.program("pg_ctl", "-D", str(pair.standby.data), "-w", "promote")
        new = Client(pair.standby)
        new.start()
        time.sleep(DEGRADE_AFTER + ROUND)
        assert new.acknowledged == []
        for each in pair.witnesses[:2]:
            each.start()
        until(lambda: pair.standby.sql("SHOW synchronous_standby_names") == "", PATIENCE)
        go_on(new)
        new.stop()
        wishes = [each.wish for each in records(pair) if each.wish and each.wish.timeline == 2]
        assert len(wishes) >= 2
        assert all(wish.number > number and wish.master == STANDBY for wish in wishes)
    finally:
        print(other.says())
        other.kill()
