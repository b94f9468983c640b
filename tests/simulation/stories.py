# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stories: schedules that have broken a promise, made as short as they get, each with a name.

Of one that breaks it still ``broken`` says how, as a regular expression for the beginning of what PromiseBroken says:
the search passes that over, and the test of it is expected to fail. It goes with the mending; the story stays.
"""

from __future__ import annotations

import functools
import re
import typing as t
from dataclasses import dataclass, field

Steps = list[dict[str, t.Any]]
HOME = {"do": "home"}


@dataclass(frozen=True)
class Story:
    """A schedule, and what it is about."""

    name: str
    about: str
    steps: Steps = field(hash=False)
    broken: str = ""
    #: whether readiness is tried after each step; without, it is about the way
    ready: bool = False

    def shows(self, what: str) -> bool:
        """Whether a promise is broken in the way that this story tells of."""
        return bool(self.broken and re.match(self.broken, what))


def at(do: str, place: str = "", **further: t.Any) -> dict[str, t.Any]:
    """Return a step."""
    return {"do": do, **({"at": place} if place else {}), **further}


def run(playbook: str, who: str = "A", **options: t.Any) -> dict[str, t.Any]:
    """Return the step that begins a run."""
    return {"do": "run", "who": who, "playbook": playbook, **({"options": options} if options else {})}


def go(who: str = "A", moments: int | None = None) -> dict[str, t.Any]:
    """Return the step that lets a run go on, for so many moments or to its end."""
    return {"do": "go", "who": who, "moments": moments}


def kill(moments: int, who: str = "A") -> dict[str, t.Any]:
    """Return the step that kills a run after so many moments."""
    return {"do": "kill", "who": who, "moments": moments}


WELL = "well, and a failover is "
NO_WAY = "no way home: "
STORIES = (
    Story(
        "no_second_copy",
        "After a failover there is no second copy, and the state is called well (N4).",
        [at("crash", "master"), at("take over")],
    ),
    Story(
        "fence_record_on_the_standby",
        "A record of a fence lies on a synchronised standby: the state is called well, no failover takes it (58).",
        [at("leave fence", "standby")],
    ),
    Story(
        "setting_raised",
        "max_connections is raised on the master, replay pauses: the state is called well, a failover ends"
        " the standby (54).",
        [at("raise setting", "master")],
    ),
    Story(
        "sessions_taken",
        "Clients have all sessions of the standby: the state is called well, and a failover needs a session (55).",
        [at("crowd", "standby")],
    ),
    Story(
        "replay_held_up",
        "A query on the standby holds replay up: the state is called well, and the promotion hangs (57).",
        [at("block replay", "standby", busy=True)],
    ),
    Story(
        "switchover_before_a_query",
        "A query on the standby holds replay up: the switchover stops the master, and no command leads on (57).",
        [at("block replay", "standby"), at("work"), run("switchover"), HOME],
    ),
    Story(
        "promoted_by_hand",
        "Somebody promotes the standby: two masters, and the state names no command (60).",
        [at("promote by hand", "standby"), HOME],
    ),
    Story(
        "standby_not_reached",
        "The controller's cable to the standby is cut: the state tells of it and names no command.",
        [at("cut", "controller-standby"), HOME],
    ),
    Story(
        "set_back",
        "The master is set back to copied files, its standby has later commits: the advised delta takes"
        " them back (79).",
        [at("copy files", "master"), at("work"), at("set back", "master"), HOME],
    ),
    Story(
        "cut_off_before_the_loss",
        "The link was cut for a minute while clients went on. The master's host is lost, and the standby is"
        " activated on master_is_down alone, without a word of the commits that it lacks for certain (56).",
        [
            at("no segment"),
            at("cut", "master-standby"),
            at("minute"),
            at("work"),
            at("power off", "master"),
            at("take over"),
        ],
    ),
    Story(
        "promoted_one_is_its_own_standby",
        "One of two standbys is promoted by hand and wins: the state calls it its own standby, to be brought back.",
        [at("two standbys"), at("promote by hand", "further"), at("crash", "mdw"), HOME],
    ),
    Story(
        "command_with_a_placeholder",
        "With three hosts and a master without a standby the state names a command with HOST in it, not to be typed.",
        [
            at("two standbys"),
            at("unmount", "master"),
            at("take over"),
            at("unmount", "master"),
            at("take over"),
            at("take over"),
            HOME,
        ],
    ),
    Story(
        "discard_of_a_standby_that_holds_more",
        "The master was set back. A removal that discards the standby's data deletes the only copy of later commits.",
        [
            at("copy files", "master"),
            at("work"),
            at("set back", "master"),
            run("remove_standby", existing_data="discard"),
            go(),
        ],
    ),
    Story(
        "removed_while_away_and_too_far_behind",
        "A standby that is too far behind is removed while it cannot be reached. It follows on, so the advised"
        " init_standby makes no copy, waits for what cannot come, and names nothing.",
        [
            at("hold", "standby"),
            at("write much", "master"),
            at("cut", "controller-standby"),
            run("remove_standby"),
            HOME,
        ],
    ),
    Story(
        "disk_lost_and_back",
        "The master's disk is lost. Its host, switched on as advised, has no data: the state names options and no"
        " playbook.",
        [at("lose disk", "master"), HOME],
    ),
    Story(
        "what_is_waited_for_is_gone",
        "The new master's disk is lost, the old one is to be gone back to, as advised. Its start waits for ever for the"
        " other's data, and the state does not name what lets it start.",
        [at("crash", "master"), at("take over"), at("lose disk", "master"), HOME],
    ),
    Story(
        "two_with_the_same_right",
        "standby.signal was removed while the master was stopped. Both have the same right to be the master, so each"
        " start waits for the other one: to start the one that is to be it, as told, does not help.",
        [at("stop", "master"), at("remove signal", "standby"), HOME],
    ),
    Story(
        "set_back_and_written_on",
        "The master was set back and clients write on, so that it is further than its standby, with another past. The"
        " advised resynchronisation compares positions alone, and then takes the standby's later commits back (79).",
        [at("copy files", "master"), at("work"), at("set back", "master"), at("work"), HOME],
    ),
    Story(
        "set_back_after_a_resynchronisation",
        "The master was set back after its standby was brought back, and clients write on, but not as much as the"
        " standby has more: to keep what that has gives up what the master has written since, which nobody was told.",
        [
            at("copy files", "master"),
            at("work"),
            run("remove_standby"),
            HOME,
            at("set back", "master"),
            at("power off", "standby", busy=True),
            HOME,
        ],
    ),
    Story(
        "set_back_and_too_far_behind",
        "The master was set back and has written so much since that its slot is lost. No WAL is left to compare, and a"
        " delta, as after every lost slot, takes the standby's later commits back (79).",
        [at("copy files", "master"), at("work"), at("set back", "master"), at("write much", "master"), HOME],
        "more of the same timeline is given up",
    ),
    Story(
        "same_right_and_crashed",
        "standby.signal was removed, and the crashed master has commits beyond its last checkpoint. The other one is"
        " started, as told, and the resynchronisation takes back what only the first one has.",
        [at("remove signal", "standby", busy=True), at("crash", "master"), HOME],
    ),
    Story(
        "same_right_after_a_switchover",
        "The new master crashes within a switchover, and the old one, which follows it, is promoted by hand. To keep"
        " what the first one has, a failover is named, although it is no standby, and its start waits.",
        [run("switchover"), go("A", 44), at("crash", "master"), go("A", 5), at("promote by hand", "standby"), HOME],
    ),
    Story(
        "mute_and_promoted_by_hand",
        "A standby that gives no session was promoted by hand. To keep what it has, its server, which runs, is to be"
        " started, as told.",
        [at("two standbys"), at("crowd", "standby"), at("promote by hand", "standby"), HOME],
    ),
    Story(
        "killed_after_the_promotion",
        "A switchover is killed just after the promotion and the slots are dropped. With segments registered the new"
        " master is taken for one that never had a standby, although it is registered as one itself: all is called"
        " well.",
        [run("switchover"), kill(17), at("drop slots", "master")],
        ready=True,
    ),
    Story(
        "killed_with_nothing_registered",
        "A switchover is killed when it has registered the standbys of the new master, of which there are none, and the"
        " slots are dropped. Nothing that is registered tells of a pair, and all is called well, although the former"
        " master's data is there.",
        [run("switchover"), kill(18), at("drop slots", "master")],
        ready=True,
    ),
    Story(
        "frozen_third_host",
        "A host that is frozen would let the next failover be refused: the state names what a refusal says, without the"
        " playbook that is to be run again.",
        [at("two standbys"), at("freeze", "master"), at("promote by hand", "standby"), HOME],
    ),
    Story(
        "further_standby_forgotten",
        "Both standbys are stopped when the master's host is off. The one that takes over is started by the"
        " failover, and so the other one is registered no more.",
        [
            at("two standbys"),
            at("stop", "standby"),
            at("stop", "further"),
            at("power off", "master"),
            run("failover", master_is_down=True, accept_data_loss=True),
            go(),
            HOME,
        ],
    ),
    Story(
        "mute_and_fenced",
        "A standby gives no session and has the record of a fence. The resynchronisation, named first, waits for a"
        " session that never comes, again and again; that a restart would help is named second.",
        [at("crowd", "standby"), at("leave fence", "standby"), HOME],
    ),
    Story(
        "removed_standby_is_the_last_copy",
        "A standby was being removed when the master was lost with its disk. It is the last copy there is, and the"
        " state says that its host is to be brought up, which is up.",
        [run("remove_standby"), kill(9), at("lose disk", "master"), HOME],
    ),
    Story(
        "further_standby_without_data",
        "One of two standbys has no data any more. The other one cannot be brought back, since lines are to be written"
        " into the access file that the first one has not.",
        [at("two standbys"), at("crash", "further"), at("unmount", "standby"), HOME],
    ),
    Story(
        "newer_one_beside_a_frozen_one",
        "The master is frozen, its standby promoted by hand and is restarted. Its interlock takes the frozen one for"
        " a master and sends to the state, which sends back to the start.",
        [at("freeze", "master"), at("promote by hand", "standby"), at("raise setting", "smdw"), HOME],
    ),
    Story(
        "fenced_master_started_meanwhile",
        "Somebody starts the old master while a switchover looks at the standby again. It runs as a standby of nobody,"
        " the rescue takes its marks away and does not restart it, and the state asks to correct the inventory.",
        [run("switchover"), go("A", 9), at("start", "master"), HOME],
    ),
    Story(
        "former_master_forgotten",
        "With three hosts a standby was promoted by hand. That the crashed master has commits of its own is told"
        " by nobody: all is called well when the other standby follows.",
        [at("two standbys"), at("promote by hand", "standby"), at("crash", "mdw", busy=True), HOME],
    ),
    Story(
        "former_master_fenced_and_forgotten",
        "The same, and a failover is run, which fences the crashed master and salvages nothing, since the other one is"
        " promoted already. That it is awaited is a note, and what only it has is told by nobody.",
        [
            at("two standbys"),
            at("promote by hand", "standby"),
            at("crash", "mdw", busy=True),
            at("take over"),
            HOME,
        ],
    ),
    Story(
        "half_way_and_alone",
        "A resynchronisation was killed half-way, then the master is lost with its disk: start and resynchronisation"
        " are advised in turn, and nobody says that nothing whole is left.",
        [at("promote by hand", "standby"), at("advised", moments=23), at("lose disk", "master"), HOME],
    ),
    Story(
        "half_way_on_a_newer_timeline",
        "What a resynchronisation has left half-way is called a newer master that is to be started, which cannot be,"
        " and its timeline keeps the last whole master from starting again.",
        [
            at("two standbys"),
            at("promote by hand", "standby"),
            at("advised", moments=19),
            at("freeze", "master"),
            at("thaw", "master"),
            HOME,
        ],
    ),
    Story(
        "mute_and_alone",
        "The master's disk is lost, and its standby, which gives no session, was promoted by hand: the state says that"
        " its host is to be brought up, which is up.",
        [at("lose disk", "master"), at("crowd", "standby"), at("promote by hand", "standby"), HOME],
    ),
    Story(
        "former_master_is_the_last_copy",
        "The master is lost with its disk before its former master could follow it: that is fenced, has the last copy,"
        " and nobody says so.",
        [
            run("switchover"),
            go(),
            run("switchover"),
            go("A", 27),
            at("cut", "master-standby"),
            go(),
            at("lose disk", "master"),
            HOME,
        ],
    ),
    Story(
        "ahead_and_fenced",
        "The master was set back, and the standby that has more has the record of a fence of an older version: the"
        " failover, as advised, is refused for that, and the start of the master leads back to the same advice.",
        [
            at("copy files", "master"),
            *(at("work") for _each in range(8)),
            at("leave fence", "standby"),
            at("set back", "master"),
            HOME,
        ],
    ),
    Story(
        "data_not_mounted_on_the_last_host",
        "The standby's disk is lost, the master's file system is not mounted after a reboot: the state"
        " advises to make a"
        " new master.",
        [at("lose disk", "standby"), at("unmount", "master"), HOME],
    ),
    Story(
        "fence_killed_between_its_marks",
        "A switchover is killed between standby.signal and the record of the fence: the master, started as"
        " advised, is a"
        " standby of nobody.",
        [run("switchover"), kill(10), HOME],
    ),
    Story(
        "segment_remembers_a_trouble_that_is_over",
        "A segment that is cut off remembers that there was no standby in step. It is repaired since, the"
        " state is well,"
        " and a failover is refused for that memory.",
        [at("drop slots", "master"), at("cut", "sdw1-master"), HOME],
        ready=True,
    ),
    Story(
        "newer_one_stopped",
        "Both servers are stopped, the one on the newer timeline by hand: the advice is to start the other one (A16).",
        [run("switchover"), go("A", 9), run("failover", "B"), go("B"), at("stop", "master"), HOME],
    ),
    Story(
        "rescue_of_a_switchover",
        "A switchover loses its way to the standby after the fence. Another operator's failover activates that, and the"
        " rescue of the first starts the old master again: two masters (A11).",
        [
            run("switchover"),
            go("A", 6),
            at("cut", "controller-smdw"),
            at("cut", "mdw-smdw"),
            go("A", 3),
            at("mend", "controller-smdw"),
            run("failover", "B"),
            go("B"),
            go("A"),
        ],
    ),
    Story(
        "new_master_not_mounted",
        "The new master comes back without its file system. The old one takes that for no data, starts, and"
        " a new copy is"
        " made of it (A12).",
        [
            at("power off", "master"),
            at("take over"),
            at("work"),
            at("unmount", "smdw"),
            at("power on", "mdw"),
            at("work"),
            HOME,
        ],
    ),
    Story(
        "restart_waits_for_a_lost_disk",
        "With three hosts a master's disk was lost, and a standby took over. Nobody says that a restart of the new"
        " master would wait for the host without data.",
        [at("two standbys"), at("lose disk", "master"), HOME, at("raise setting", "master"), HOME],
    ),
    Story(
        "controller_asleep_before_the_activation",
        "The master's host is off, as the operator says. The controller is asleep just before the activation; when it"
        " wakes the host is on again, and its server accepts writes.",
        [
            at("power off", "master"),
            run("failover", master_is_down=True),
            go("A", 9),
            at("power on", "mdw"),
            at("minute"),
            at("work"),
            go("A"),
            HOME,
        ],
    ),
    Story(
        "one_decision_after_another",
        "With three hosts one was made a master by hand while the master was off. Both are decided on, then the third"
        " host is further than the chosen one: a decision too many.",
        [at("two standbys"), at("power off", "master", busy=True), at("remove signal", "standby"), HOME],
    ),
    Story(
        "set_aside_and_followed_by_nobody",
        "A switchover is killed after the promotion, and the new master is lost with its disk. The fenced old one is"
        " the last copy, and follows nobody: a failover wanted the host that it follows in the inventory.",
        [run("switchover"), kill(17), at("start", "standby"), at("lose disk", "master"), HOME],
    ),
    Story(
        "rewound_half_and_followed_by_nobody",
        "The same of a standby that a rewind was about to change.",
        [
            at("raise setting", "master"),
            run("resync_standby", resync_route="rewind"),
            go("A", 14),
            at("lose disk", "master"),
            HOME,
        ],
    ),
    Story(
        "frozen_beside_the_new_master",
        "A further standby is frozen, and may hold more WAL. That it is to be brought up was all that was said.",
        [at("two standbys"), at("crowd", "further"), at("freeze", "master"), at("freeze", "standby"), HOME],
    ),
    Story(
        "promoted_by_hand_and_mute",
        "Of three hosts one was promoted by hand and gives no session. Its server runs, and was to be started.",
        [at("two standbys"), at("crowd", "further"), at("promote by hand", "further"), at("power off", "master"), HOME],
    ),
    Story(
        "mute_standby_of_a_newer_master",
        "The newer timeline is known of by a standby alone that gives no session, so the old master was to be started,"
        " which its interlock does not let it.",
        [
            at("two standbys"),
            at("power off", "master"),
            at("take over"),
            at("lose disk", "master"),
            at("crowd", "further"),
            HOME,
        ],
    ),
    Story(
        "former_standby_beside_a_master_that_is_cut_off",
        "standby.signal was removed, and the master is alive, but cut off from all. That one is started, and the"
        " permission given, as told: two masters.",
        [
            at("remove signal", "standby"),
            at("cut", "controller-master"),
            at("cut", "master-standby"),
            HOME,
        ],
    ),
    Story(
        "failed_over_after_it_was_set_back",
        "The same, and the master's host is lost. Its WAL ends before the new master's timeline begins, so it is taken"
        " for a part of that, and the delta that is advised when it does not follow deletes what only it has.",
        [
            at("copy files", "master"),
            at("work"),
            at("set back", "master"),
            at("power off", "master", busy=True),
            at("take over"),
            HOME,
        ],
    ),
    Story(
        "swapped_after_it_was_set_back",
        "The master was set back and sends to its standby, which is further, as PostgreSQL does within a WAL segment"
        " file: a switchover gave up what was committed since, and the state called the pair well.",
        [
            at("copy files", "master"),
            *(at("work") for _each in range(4)),
            at("set back", "master"),
            at("work"),
            run("switchover"),
            go(),
            HOME,
        ],
    ),
    Story(
        "removed_while_the_master_is_lost",
        "The master's disk is lost just before the data of the removed standby, which is the last copy, is deleted.",
        [
            {"do": "run", "who": "B", "playbook": "remove_standby", "options": {"existing_data": "discard"}},
            go("B", 17),
            at("lose disk", "master"),
            HOME,
        ],
    ),
    Story(
        "older_data_and_a_lost_master",
        "What the master had committed is lost with its disk; to bring it up and to say that it is off was advised in"
        " turn.",
        [at("two standbys"), at("remove signal", "standby"), at("work"), at("lose disk", "master"), HOME],
    ),
    Story(
        "new_master_mounted_later",
        "The same, and the file system is mounted before the advised resynchronisation, which takes the newer timeline"
        " back (A12).",
        [
            at("power off", "master"),
            at("take over"),
            at("work"),
            at("unmount", "smdw"),
            at("power on", "mdw"),
            at("work"),
            at("mount", "smdw"),
            HOME,
        ],
    ),
)


@functools.cache
def is_known(what: str) -> bool:
    """Whether a promise is known to be broken in this way."""
    return any(story.shows(what) for story in STORIES)
