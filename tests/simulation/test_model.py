# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules of the model, each as PostgreSQL's manual has it, and the shape of what is seen of it."""

from __future__ import annotations

import inspect
import re

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import lsn, observation, shape

from simulation import faults, life, postgresql, units
from simulation.play import pair
from simulation.seen import observe
from simulation.world import Data, Server, World

#: chapters, sections and reference pages of PostgreSQL's manual that a rule may name
MANUAL = {
    "Administrator's Overview",
    "Asynchronous Commit",
    "Failover",
    "Handling Query Conflicts",
    "Hot Standby",
    "Monitoring Database Activity",
    "Recovery Control Functions",
    "Reliability",
    "Replication",
    "Replication Slots",
    "Shutting Down the Server",
    "Standby Server Operation",
    "Streaming Replication",
    "Streaming Replication Protocol",
    "System Administration Functions",
    "Timelines",
    "WAL Configuration",
    "WAL Internals",
    "Write-Ahead Logging (WAL)",
    "pg_basebackup",
    "pg_controldata",
}


@pytest.fixture
def world() -> World:
    return pair()


def data(world: World, name: str) -> Data:
    found = world.hosts[name].data
    assert found
    return found


def server(world: World, name: str) -> Server:
    found = world.hosts[name].server
    assert found
    return found


def minutes(world: World, number: int = 1) -> None:
    for _each in range(number):
        faults.minute(world, "")


def test_an_observation_has_the_shape_that_instance_info_returns(world: World) -> None:
    faults.work(world, "")
    for name in (*world.hosts, *world.segments):
        assert shape.misfits(observe(world, name), observation.Observation) == []
    for act in (faults.crowd, faults.pause, faults.freeze, faults.power_off):
        act(world, "smdw")
        seen = observe(world, "smdw")
        assert not seen["reachable"] or shape.misfits(seen, observation.Observation) == []


def test_what_a_master_commits_comes_to_its_standby(world: World) -> None:
    life.write(world, 3)
    assert data(world, "mdw").end is not data(world, "smdw").end
    life.settle(world)
    assert data(world, "mdw").end is data(world, "smdw").end


def test_a_promotion_begins_the_next_timeline_where_the_old_one_ends(world: World) -> None:
    faults.crash(world, "mdw")
    end = data(world, "smdw").end
    assert postgresql.promote(world, world.hosts["smdw"]) is None
    found = data(world, "smdw")
    assert (found.end.timeline, found.histories) == (2, {2: ((1, end.lsn),)})
    # just after it the control file has the old timeline as that of the last checkpoint
    control = observe(world, "smdw")["control"]
    assert (control["timeline"], control["min_recovery_timeline"]) == (1, 2)


def test_a_replay_with_too_low_a_setting_pauses_and_ends_the_server_when_it_goes_on(world: World) -> None:
    faults.raise_setting(world, "mdw")
    life.settle(world)
    smdw = world.hosts["smdw"]
    assert server(world, "smdw").short
    assert observe(world, "smdw")["server"]["replay_paused"]
    postgresql.resume(smdw)
    assert smdw.server is None
    # nor does it start again, since its control file tells of the higher value
    assert "insufficient parameter settings" in str(postgresql.start(world, smdw))


def test_what_holds_replay_up_holds_the_promotion_up(world: World) -> None:
    faults.block(world, "smdw")
    faults.work(world, "")
    life.settle(world)
    assert postgresql.promote(world, world.hosts["smdw"]) == "replay is held up by a session"
    server(world, "smdw").blocked = False
    life.settle(world)
    assert not server(world, "smdw").standby


def test_a_slot_that_keeps_too_much_is_lost_and_with_it_the_wal(world: World) -> None:
    faults.power_off(world, "smdw")
    minutes(world)
    faults.much_written(world, "mdw")
    assert data(world, "mdw").slots["hawq_mirroring_smdw"].lost
    faults.power_on(world, "smdw")
    assert "can no longer get changes" in str(postgresql.why_no_link(world, world.hosts["smdw"]))


def test_a_standby_that_has_more_than_its_master_gets_nothing(world: World) -> None:
    """Within one segment file it is connected all the same, until the master has written as much."""
    faults.files_copied(world, "mdw")
    faults.work(world, "")
    life.settle(world)
    rows = data(world, "smdw").end.rows
    faults.set_back(world, "mdw")
    life.settle(world)
    assert life.mirroring(world, "mdw", "smdw")[0] == life.SYNCHRONIZED
    assert data(world, "smdw").end.rows == rows != data(world, "mdw").end.rows
    faults.work(world, "")
    life.settle(world)
    assert life.mirroring(world, "mdw", "smdw")[0] == life.NOT_SYNCHRONIZED
    assert "not in this server's history" in str(postgresql.why_no_link(world, world.hosts["smdw"]))


def test_a_connection_that_is_silent_is_given_up_after_a_while(world: World) -> None:
    faults.cut(world, "mdw-smdw")
    life.settle(world, 5)
    assert life.mirroring(world, "mdw", "smdw")[0] == life.SYNCHRONIZED
    life.settle(world, 30)
    assert life.mirroring(world, "mdw", "smdw") == (life.NOT_SYNCHRONIZED, "Connection error")


def test_a_frozen_server_opens_its_port_and_does_not_answer(world: World) -> None:
    faults.freeze(world, "mdw")
    seen = observe(world, "smdw")["probes"]["mdw"]
    assert (seen["open"], seen["answers"]) == (True, False)


def test_a_clean_shutdown_sends_the_last_record_and_a_crash_does_not(world: World) -> None:
    life.write(world, 1)
    clean, crashed = world.copy(), world.copy()
    faults.stop(clean, "mdw")
    faults.crash(crashed, "mdw")
    assert data(clean, "smdw").end is data(clean, "mdw").end
    assert data(crashed, "smdw").end is not data(crashed, "mdw").end


@pytest.mark.parametrize("newer", [True, False])
def test_the_interlock_keeps_a_stale_master_from_starting(world: World, newer: bool) -> None:
    faults.power_off(world, "mdw")
    if newer:
        postgresql.promote(world, world.hosts["smdw"])
    faults.power_on(world, "mdw")
    assert bool(world.hosts["mdw"].server) != newer


def test_a_master_that_cannot_ask_does_not_start_unless_it_is_permitted(world: World) -> None:
    faults.power_off(world, "smdw")
    faults.power_off(world, "mdw")
    faults.power_on(world, "mdw")
    assert world.hosts["mdw"].unit.active == "activating"
    world.hosts["mdw"].unit.permitted = float("inf")
    assert units.start(world, world.hosts["mdw"]) is None
    assert world.writers() == ["mdw"]


def test_a_copy_of_the_world_lives_by_itself(world: World) -> None:
    other = world.copy()
    faults.work(other, "")
    faults.power_off(other, "mdw")
    postgresql.promote(other, other.hosts["smdw"])
    assert world.writers() == ["mdw"]
    assert data(world, "smdw").histories == {}
    assert len(world.rows) == 2


def test_each_rule_names_its_chapter_of_the_manual() -> None:
    rules = [each for _name, each in inspect.getmembers(postgresql, inspect.isfunction)]
    rules = [each for each in rules if each.__module__ == postgresql.__name__]
    without = [each.__name__ for each in rules if not MANUAL & set(re.findall(r'"([^"]+)"', each.__doc__ or ""))]
    assert without == []


def test_a_restartpoint_is_at_a_checkpoint_of_the_master(world: World) -> None:
    """The control file of a standby that is shut down names the checkpoint that it has replayed last."""
    first = data(world, "mdw").checkpoint
    faults.work(world, "")
    life.settle(world)
    faults.stop(world, "smdw")
    control = observe(world, "smdw")["control"]
    assert data(world, "smdw").checkpoint is first
    assert lsn.parse(control["min_recovery_lsn"]) == data(world, "smdw").replayed.lsn > first.lsn
