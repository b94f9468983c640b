# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to a pair in the scenario nemesis: faults of machines, of people and of the controller."""

from __future__ import annotations

import random
import time
import typing as t

from harness import DATA, SERVICE, Ledger, Pair, Running, accepts_writes, lab, mirroring, on, sql, until
from pairs import HOSTS

Fault = t.Callable[[Pair, Ledger, random.Random], None]
#: a task whose name a playbook prints, or the end of its output
TASK = "TASK ["


def timeline(host: str) -> int:
    return int(sql(host, "SELECT timeline_id FROM pg_control_checkpoint()"))


def check_promises(ledger: Ledger, before: int, decided: list[str], story: str) -> None:
    """Fail when a promise was not kept on the way home; ``before`` is the timeline with which the round began."""
    master = next(host for host in HOSTS if accepts_writes(host))
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 20, 120, "commits on the master")
    ledger.swaps = timeline(master) - before
    ledger.stop()
    assert mirroring(master)[0] == "Synchronized", story
    assert ledger.two_writers() == [], story
    lost = ledger.lost_on(master)
    print(f"decided: {decided}; lost: {len(lost)} of {len(ledger.acknowledged)}", flush=True)
    # what he has given up he has given up with open eyes
    assert lost == [] or any("accept_data_loss" in each or "is right" in each for each in decided), story


def catch_up(pair: Pair, ledger: Ledger) -> None:
    """Wait until the standby has what was acknowledged until now, where it streams."""
    if mirroring(pair.master)[0] == "Synchronized":
        last = ledger.acknowledged[-1]
        until(lambda: last not in ledger.missing_on(pair.standby), 120, "the standby has it")


def server_killed(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    on(pair.master, f"kill -9 $(head -1 {DATA}/postmaster.pid)", check=False)


def standby_killed(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    on(pair.standby, f"kill -9 $(head -1 {DATA}/postmaster.pid)", check=False)


def master_off(pair: Pair, ledger: Ledger, _chance: random.Random) -> None:
    ledger.lose(pair.standby, lambda: lab("power-off", pair.master))


def master_reboots(pair: Pair, ledger: Ledger, _chance: random.Random) -> None:
    ledger.lose(pair.standby, lambda: lab("power-off", pair.master))
    lab("power-on", pair.master)


def standby_off(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    lab("power-off", pair.standby)


def both_off(pair: Pair, ledger: Ledger, chance: random.Random) -> None:
    """Both lose power; one comes back first."""
    catch_up(pair, ledger)
    for host in pair:
        lab("power-off", host)
    hosts = list(pair)
    chance.shuffle(hosts)
    for host in hosts:
        lab("power-on", host)
        time.sleep(chance.uniform(0, 8))


def link_cut(pair: Pair, _ledger: Ledger, chance: random.Random) -> None:
    """The cable between the two fails for a while."""
    lab("cut", *pair)
    time.sleep(chance.uniform(1, 12))
    lab("join", *pair)


def master_cut_off(pair: Pair, ledger: Ledger, _chance: random.Random) -> None:
    ledger.lose(pair.standby, lambda: lab("unplug", pair.master))


def server_frozen(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    on(pair.master, f"systemctl kill --signal=STOP {SERVICE}")


def replay_paused(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    sql(pair.standby, "SELECT pg_wal_replay_pause()")


def settings_raised(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    """Somebody raises a setting on the master that a standby may not have less of."""
    value = int(sql(pair.master, "SHOW max_connections")) + 20
    sql(pair.master, f"ALTER SYSTEM SET max_connections = {value}")
    on(pair.master, f"systemctl restart {SERVICE}")
    until(lambda: accepts_writes(pair.master), 120, "the master again")
    sql(pair.master, "CREATE TABLE IF NOT EXISTS raised (n int); INSERT INTO raised VALUES (1)")


def fence_left(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    """A fence record of an older version lies on the standby."""
    on(pair.standby, f"echo '{{}}' | runuser -u gpadmin -- tee {DATA}/hawq_mirroring.fence")


def slot_dropped(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    slot = f"hawq_mirroring_{pair.standby}"
    on(pair.standby, f"systemctl stop {SERVICE}")
    until(
        lambda: sql(pair.master, f"SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'") != "t",
        180,
        "idle",
    )
    sql(pair.master, f"SELECT pg_drop_replication_slot('{slot}')")


def interlock_gone(pair: Pair, _ledger: Ledger, chance: random.Random) -> None:
    host = chance.choice(pair)
    on(host, f"rm -rf /etc/systemd/system/{SERVICE}.d; systemctl daemon-reload")


def unit_disabled(pair: Pair, _ledger: Ledger, chance: random.Random) -> None:
    on(chance.choice(pair), f"systemctl disable {SERVICE}")


def address_flushed(pair: Pair, _ledger: Ledger, _chance: random.Random) -> None:
    on(pair.master, "ip address delete 10.77.0.100/24 dev eth0", check=False)


def killed(playbook: str, *arguments: str) -> Fault:
    """Return the fault that a playbook is killed at one of its tasks, with its controller."""

    def fault(_pair: Pair, _ledger: Ledger, chance: random.Random) -> None:
        kill_at(playbook, chance.randrange(2, 16), *arguments)

    return fault


def kill_at(playbook: str, number: int, *arguments: str) -> str:
    """Kill a playbook when it has begun so many tasks; return the name of the last, or nothing when it had ended."""
    run = Running(playbook, *arguments)
    until(lambda: run.output.count(TASK) >= number or run.process.poll() is not None, 600, "the task")
    ended = run.process.poll() is not None
    run.kill()
    return "" if ended else run.output.rpartition(TASK)[2].partition("]")[0]


#: each alone must not keep a failover from working, unless state.yml has said so before
FAULTS: dict[str, Fault] = {
    "the master's server is killed": server_killed,
    "the standby's server is killed": standby_killed,
    "the master's host loses power": master_off,
    "the master's host loses power and comes back": master_reboots,
    "the standby's host loses power": standby_off,
    "both hosts lose power and come back": both_off,
    "the link between the two is cut for a while": link_cut,
    "the master's host is cut off": master_cut_off,
    "the master's server is frozen": server_frozen,
    "replay on the standby is paused": replay_paused,
    "max_connections is raised on the master": settings_raised,
    "a fence record lies on the standby": fence_left,
    "the standby's slot is dropped": slot_dropped,
    "an interlock is gone": interlock_gone,
    "a unit is disabled": unit_disabled,
    "the address is taken off the master": address_flushed,
    "a switchover is killed": killed("switchover"),
    "a resynchronisation is killed": killed("resync_standby"),
    "an init_standby is killed": killed("init_standby"),
}
#: the master is gone after each of these, so that a failover is what an operator would do at once
LOSES_THE_MASTER = (
    "the master's server is killed",
    "the master's host loses power",
    "the master's host is cut off",
    "the master's server is frozen",
)
