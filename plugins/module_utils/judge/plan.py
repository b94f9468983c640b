# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each workflow is told to do: the types of the plans. Pure.

A plan's ``steps`` name for each step of its workflow the hosts that do it, nobody being an empty list: a playbook asks
for its host's name there and for nothing else. Only what a workflow needs is in its plan.
"""

from __future__ import annotations

import typing as t

from ..values.observation import Endpoint

Hosts = list[str]
Endpoints = dict[str, Endpoint]


class Plan(t.TypedDict):
    """What every workflow's plan has."""

    workflow: t.Annotated[str, "the playbook's name"]
    master: t.Annotated[str, "who is the master when it ends"]


class Guard(t.TypedDict):
    """What the guards of a pair are told."""

    mode: t.Annotated[str, "asynchronous, synchronous or strict"]
    degrade_after: t.Annotated[float, "seconds that a standby may owe its answer before it is lost"]
    count: t.Annotated[int, "for how many standbys a commit waits, where there are several"]
    witnesses: t.Annotated[Hosts, "that bear witness of who is waited for"]


class InitMasterSteps(t.TypedDict):
    """Steps of init_master."""

    mode: t.Annotated[Hosts, "is told the mode of the pair that it begins"]
    make: t.Annotated[Hosts, "makes and starts the database system"]
    address: t.Annotated[Hosts, "gets the address that follows the master"]
    views: t.Annotated[Hosts, "gets the views"]


class InitMasterPlan(Plan):
    """Of init_master."""

    create: t.Annotated[bool, "whether there is anything to make"]
    address: t.Annotated[str, "where clients reach it"]
    view_databases: t.Annotated[list[str], "databases that get the views"]
    version: t.Annotated[int | None, "major version of the programs"]
    which: t.Annotated[str | None, "what stands for the standby's name where it must be told"]
    guard: t.Annotated[Guard | None, "what its guard is told; null where nothing waits"]
    steps: InitMasterSteps


class PairSteps(t.TypedDict):
    """Steps by which a host comes to mirror another, whatever it had before."""

    prepare: t.Annotated[Hosts, "gets user, environment and service"]
    binaries: t.Annotated[Hosts, "gets the engine's programs"]
    data_directory: t.Annotated[Hosts, "gets a place for the data"]
    ssh_keys: t.Annotated[Hosts, "exchange SSH keys"]
    passwords: t.Annotated[Hosts, "keep the replication password"]
    source: t.Annotated[Hosts, "is made a source"]
    let_in: t.Annotated[Hosts, "lack the lines that let the others in"]
    configuration: t.Annotated[Hosts, "give and get the configuration outside the data directory"]
    trial: t.Annotated[Hosts, "are asked whether the standby would start, before a copy or old data is changed"]
    trial_late: t.Annotated[Hosts, "are asked that before anything is copied, when the programs are there"]
    snapshot: t.Annotated[Hosts, "give and get a copy of all"]
    leftovers: t.Annotated[Hosts, "still has what an earlier copy has left"]
    follow: t.Annotated[Hosts, "follows the master"]
    further: t.Annotated[Hosts, "further standbys that must let the new one in"]
    undo: t.Annotated[Hosts, "takes back half a copy when that fails"]
    undo_source: t.Annotated[Hosts, "takes back what the master was given when that fails"]
    interlock: t.Annotated[Hosts, "ask before each start whether another one has taken over"]
    settings: t.Annotated[Hosts, "gets settings without which it cannot replay, and is restarted"]
    start: t.Annotated[Hosts, "is started, or has a unit that does not start at boot"]
    views: t.Annotated[Hosts, "get the views"]
    address: t.Annotated[Hosts, "can hold the master's address"]
    address_off: t.Annotated[Hosts, "have the master's address and must not"]
    address_gone: t.Annotated[Hosts, "hold an address that the inventory does not name any more"]
    address_on: t.Annotated[Hosts, "must have the master's address, and has not"]
    synchronized: t.Annotated[Hosts, "are asked whether mirroring is synchronised"]
    let_go: t.Annotated[Hosts, "lets no commit wait for a standby that is about to stop"]
    mode: t.Annotated[Hosts, "is told the mode of the pair before there is one"]
    guard: t.Annotated[Hosts, "get the guard"]
    wait: t.Annotated[Hosts, "lets commits wait for the standby, where the mode says so"]
    slot_passwords: t.Annotated[Hosts, "keep the replication password for the synchronisation of slots"]
    old_slot: t.Annotated[Hosts, "drops the slot that an adopted standby used before"]
    late_settings: t.Annotated[Hosts, "gets settings that need the standby to be there"]
    spare: t.Annotated[Hosts, "gives up slots of names that no host has any more"]


class PairPlan(Plan):
    """What it takes that one host mirrors another."""

    engine: t.Annotated[str, "key of the engine, which has the words"]
    standby: t.Annotated[str, "who becomes the standby"]
    standbys: t.Annotated[Hosts, "who is registered as a standby then"]
    slot: t.Annotated[str, "the standby's slot on the master"]
    spare_slots: t.Annotated[list[str], "slots of names that no host has any more"]
    snapshot: t.Annotated[bool, "whether all is copied"]
    existing_data: t.Annotated[str, "none, keep or discard: what becomes of the old data"]
    system_identifier: t.Annotated[str | None, "of the master"]
    settings: t.Annotated[dict[str, str], "that the master gets at once"]
    restart_settings: t.Annotated[dict[str, str], "that the master gets with a restart"]
    standby_settings: t.Annotated[dict[str, str | None], "that the standby gets"]
    recovery_settings: t.Annotated[dict[str, str], "that the standby's server must have at least, or it cannot replay"]
    late_settings: t.Annotated[dict[str, str], "that the master gets when the standby is synchronised"]
    slots_connection: t.Annotated[dict[str, str], "what a standby's connection has beside, so that it gets slots"]
    old_slots: t.Annotated[list[dict[str, str]], "the slot that an adopted standby used before"]
    kept_wal_megabytes: t.Annotated[int | None, "limit of kept WAL that is set"]
    make_room: t.Annotated[bool, "whether the old data must go before the copy"]
    hba_lines: t.Annotated[list[str], "that let the hosts replicate from each other"]
    hba_file: t.Annotated[str, "where the master has such lines"]
    endpoints: t.Annotated[Endpoints, "master, standby and further standbys: address and port"]
    config_directory: t.Annotated[str, "of the master"]
    size_bytes: t.Annotated[int, "of all data of the master", "bytes"]
    tablespaces: t.Annotated[list[str], "directories on the standby"]
    tablespace_version: t.Annotated[str | None, "name of the directory that the master's files have in each"]
    new_tablespaces: t.Annotated[list[str], "directories that are made before the standby's server replays on"]
    view_databases: t.Annotated[list[str], "databases that get the views"]
    version: t.Annotated[int, "major version of the programs"]
    programs: t.Annotated[dict[str, str], "where the standby's host has or gets them"]
    guard: t.Annotated[Guard | None, "what the guards are told; null where there are none"]
    let_go_seconds: t.Annotated[int, "that the guard has for letting no commit wait for the standby"]


class MirrorSteps(PairSteps):
    """Steps of init_standby."""

    replace: t.Annotated[Hosts, "standbys that are removed when the new one is synchronised"]


class MirrorPlan(PairPlan):
    """Of init_standby."""

    advice: t.Annotated[str, "what to do when the present standby does not start"]
    steps: MirrorSteps


class ResyncSteps(PairSteps):
    """Steps of resync_standby."""

    compare: t.Annotated[Hosts, "reads what only it has"]
    name_tables: t.Annotated[Hosts, "tells the names of the tables that this touched"]
    close: t.Annotated[Hosts, "still has what a killed rewind has left"]
    stop: t.Annotated[Hosts, "has a server that is in the way"]
    keep_lost: t.Annotated[Hosts, "keeps aside what only it has"]
    open: t.Annotated[Hosts, "lets the standby's host read its files"]
    rewind: t.Annotated[Hosts, "is taken back to where the histories part"]
    delta: t.Annotated[Hosts, "compare all, and copy what differs"]
    lift: t.Annotated[Hosts, "is no former master any more"]


class ResyncPlan(PairPlan):
    """Of resync_standby."""

    route: t.Annotated[str | None, "the way that is taken"]
    bill: t.Annotated[list[dict[str, t.Any]], "what each way would cost, or why it is none"]
    resume: t.Annotated[bool, "whether a paused replay goes on"]
    notes: t.Annotated[list[str], "what goes on by itself, and what to do when it does not"]
    advice: t.Annotated[str, "what to do when a start is not enough"]
    stale_slots: t.Annotated[list[str], "slots of others that the data has of its time as a master"]
    failed_routes: t.Annotated[dict[str, str], "ways that have failed in this run, each with the reason"]
    fork: t.Annotated[str | None, "where the histories part", "LSN"]
    reached: t.Annotated[str | None, "what it has come to beyond the master on the same timeline", "LSN"]
    history: t.Annotated[list[dict[str, t.Any]], "the standby's: timelines and where each ends"]
    divergence: t.Annotated[dict[str, t.Any] | None, "what only the standby's host has"]
    rewind_role: t.Annotated[str, "role that reads the master's files"]
    rewind_database: t.Annotated[str, "database that it is let into"]
    rewind_hba_lines: t.Annotated[list[str], "that let that role in"]
    steps: ResyncSteps


class SegmentsSteps(t.TypedDict):
    """Steps of init_segments."""

    views: t.Annotated[Hosts, "get the views"]
    let_in: t.Annotated[Hosts, "let the segments in"]
    password: t.Annotated[Hosts, "makes the role, and tells the password"]
    register: t.Annotated[Hosts, "segments that register"]
    confirm: t.Annotated[Hosts, "is asked who has registered"]
    bystand: t.Annotated[Hosts, "hosts that bear witness and are no segments: they get the user and the password"]
    witness: t.Annotated[Hosts, "bear witness"]
    mode: t.Annotated[Hosts, "is told the mode of the pair, where it has no guard yet"]
    guard: t.Annotated[Hosts, "have a guard, which is told who bears witness"]


class SegmentsPlan(Plan):
    """Of init_segments."""

    engine: t.Annotated[str, "key of the engine, which has the words"]
    endpoints: t.Annotated[Endpoints, "all that may be the master: address and port"]
    segments: t.Annotated[Hosts, "that are expected to register"]
    unreachable: t.Annotated[Hosts, "segments and witnesses that are left out"]
    hba_lines: t.Annotated[list[str], "that let the segments in"]
    view_databases: t.Annotated[list[str], "databases that get the views"]
    hba_files: t.Annotated[dict[str, str], "where each host has such lines"]
    guard: t.Annotated[Guard | None, "what the guards are told; null where there are none"]
    system_identifier: t.Annotated[str | None, "of the master"]
    steps: SegmentsSteps


class SlotToMake(t.TypedDict):
    """A slot of somebody else that is made anew on a new master."""

    name: t.Annotated[str, "its name"]
    physical: t.Annotated[bool, "whether it is one for a standby"]
    plugin: t.Annotated[str | None, "what decodes the WAL"]
    database: t.Annotated[str | None, "the database that is decoded, by name, or by number where that is not known"]
    two_phase: t.Annotated[bool, "whether its consumer gets prepared transactions"]
    failover: t.Annotated[bool, "whether standbys are to have it, too"]
    confirmed_lsn: t.Annotated[str | None, "LSN up to which its consumer had got everything"]


class OtherSlots(t.TypedDict):
    """What becomes of the slots of others in a takeover."""

    known: t.Annotated[bool, "whether the old master could be asked, or its data looked at"]
    lost: t.Annotated[list[str], "those that are lost, in words"]
    kept: t.Annotated[list[str], "those that the new master has already"]
    make: t.Annotated[list[SlotToMake], "those that are made anew"]


class TakeoverSteps(t.TypedDict):
    """Steps by which a standby becomes the master."""

    settings: t.Annotated[Hosts, "is given the settings that it lacks, and restarted, before anybody is fenced"]
    fence: t.Annotated[Hosts, "is stopped and kept from coming back as a master"]
    activate: t.Annotated[Hosts, "becomes the master"]
    follow: t.Annotated[Hosts, "further standbys that follow it"]
    followed: t.Annotated[Hosts, "is asked whether they do"]
    other_slots: t.Annotated[Hosts, "makes slots of others anew"]
    checkpoint: t.Annotated[Hosts, "ends with a checkpoint"]
    registered: t.Annotated[Hosts, "is asked who of the segments has registered"]
    commits: t.Annotated[Hosts, "is asked whether commits go on"]


class Inherited(t.TypedDict):
    """What the new master's guard must know before it asks its witnesses for anything."""

    timeline: t.Annotated[int, "that the new master will have"]
    number: t.Annotated[int, "the highest number of a wish that the witnesses know of"]
    witnesses: t.Annotated[list[list[str]], "lists of which a majority each must grant the first wish"]
    skipped: t.Annotated[list[int], "timelines that were promised to others, and that the promotion passes over"]


class Promise(t.TypedDict):
    """What the witnesses are asked to promise before a standby is activated, and what they have told with that."""

    system: t.Annotated[str, "what all copies of one database system share"]
    timeline: t.Annotated[int, "below which they grant nothing to anybody any more"]
    candidate: t.Annotated[str, "who is to become the master"]
    asked: t.Annotated[Hosts, "who can be asked"]
    silent: t.Annotated[dict[str, str], "who cannot, and why"]
    skipped: t.Annotated[list[int], "timelines before that one that were promised to others"]
    evidence: t.Annotated[list[str], "what is known of promises that were there already"]
    waiting: t.Annotated[list[dict[str, t.Any]], "refusals that the promises may lift"]
    outcome: t.Annotated[dict[str, t.Any] | None, "what the answers have come to; None while nobody has answered"]


class TakeoverPlan(Plan):
    """What it takes that a standby becomes the master."""

    engine: t.Annotated[str, "key of the engine, which has the words"]
    activate: t.Annotated[bool, "whether anybody is made the master"]
    old: t.Annotated[str | None, "the master before"]
    new: t.Annotated[str, "the master then"]
    followers: t.Annotated[dict[str, str], "further standbys that are told to follow, each with its slot"]
    untold: t.Annotated[dict[str, str], "further standbys that cannot be told, each with what it is"]
    standbys: t.Annotated[Hosts, "who is registered with the new master"]
    slots: t.Annotated[list[str], "that it keeps"]
    fence: t.Annotated[str, "how the old master is kept from writing"]
    start: t.Annotated[bool, "whether the standby has to be started first"]
    recovery_settings: t.Annotated[dict[str, str], "that the standby's server must get to replay on"]
    new_tablespaces: t.Annotated[list[str], "directories that are made before it replays on"]
    reason: t.Annotated[str, "that the fence records"]
    salvage: t.Annotated[bool, "whether the old master's disk can be asked for what the standby lacks"]
    silent: t.Annotated[list[t.Any], "servers that must not answer before the activation: nobody has fenced them"]
    standing: t.Annotated[dict[str, t.Any] | None, "what the standby has, while it stands still"]
    known_lsn: t.Annotated[str | None, "up to where the old master is known to have written", "LSN"]
    known_from: t.Annotated[str, "which segment alone says so, and how to go on without it; empty otherwise"]
    ignored_witnesses: t.Annotated[Hosts, "segments whose memory the operator does not believe"]
    endpoints: t.Annotated[Endpoints, "those that take part: address and port"]
    segments: t.Annotated[Hosts, "that have ever registered"]
    evidence: t.Annotated[list[str], "that the old master is dead"]
    rebuild: t.Annotated[list[str], "lines that rebuild on the new master what another version has sorted"]
    lacking: t.Annotated[list[str], "what its databases need and its host lacks"]
    locked_out: t.Annotated[str | None, "the new master's access file, where that lets nobody in from another host"]
    let_in: t.Annotated[str, "what is typed on its host when lines were added to that file"]
    other_slots: t.Annotated[OtherSlots, "what becomes of the slots of others"]
    slots_connection: t.Annotated[dict[str, str], "what a standby's connection has beside, so that it gets slots"]
    emptied: t.Annotated[list[str], "tables of the old master that are in no WAL, and so empty on the new one"]
    settings_lost: t.Annotated[list[str], "settings of the old master that the new one lacks, and what that means"]
    held: t.Annotated[bool, "whether the new master confirms no commit before its guard lets it"]
    inherited: t.Annotated[Inherited | None, "what that guard is told; None where there is no such"]


class FencingSteps(TakeoverSteps):
    """The same with what may fence the old master."""

    fence_command: t.Annotated[Hosts, "is switched off by the operator's command"]


class FailoverSteps(FencingSteps):
    """Steps of failover."""

    promise: t.Annotated[Hosts, "are asked to promise the new timeline, before anything is changed"]


class FailoverPlan(TakeoverPlan):
    """Of failover."""

    away: t.Annotated[Hosts, "former masters whose hosts are off"]
    promise: t.Annotated[Promise | None, "what the witnesses promise; None where there is no witness"]
    steps: FailoverSteps


class SwitchoverSteps(FencingSteps):
    """Steps of switchover."""

    again: t.Annotated[Hosts, "is observed again when the master has stopped"]
    rollback: t.Annotated[Hosts, "gets its service back when that fails"]
    rollback_look: t.Annotated[Hosts, "are looked at again before that"]
    rollback_address: t.Annotated[Hosts, "gets its address back when that fails"]


class SwitchoverPlan(TakeoverPlan):
    """Of switchover."""

    again: t.Annotated[bool, "whether the standby must still run when the master has stopped"]
    rollback: t.Annotated[bool, "whether the old master may serve again when that fails"]
    steps: SwitchoverSteps


class RollbackSteps(t.TypedDict):
    """Steps by which a master that was stopped for a switchover serves again."""

    undo: t.Annotated[Hosts, "is started as a master again"]


class RollbackPlan(Plan):
    """Of the end of a switchover that is given up, which is judged when all hosts have been looked at again."""

    seen: t.Annotated[str, "what speaks for it or against it"]
    doubtful: t.Annotated[Hosts, "that could be a master by now"]
    unasked: t.Annotated[bool, "whether it may start without an answer of the other hosts"]
    steps: RollbackSteps


class SalvageSteps(t.TypedDict):
    """Steps by which a standby gets what only its old master's disk has."""

    look: t.Annotated[Hosts, "take part, if anything has to be done"]
    start: t.Annotated[Hosts, "replays what it holds first"]
    offer: t.Annotated[Hosts, "says what the standby lacks"]
    fetch: t.Annotated[Hosts, "fetches that, and replays it"]
    bring: t.Annotated[Hosts, "take part in that"]
    give: t.Annotated[Hosts, "gives its WAL to the controller, where the two do not reach each other"]
    take: t.Annotated[Hosts, "takes it from there"]


class SalvagePlan(Plan):
    """Of a takeover's salvage, which is judged again when the old master stands still."""

    offer: t.Annotated[dict[str, t.Any], "what the old master's disk has and the standby lacks"]
    pieces: t.Annotated[list[dict[str, t.Any]], "of its files, which go through the controller one by one"]
    after: t.Annotated[str | None, "what the standby has replayed", "LSN"]
    have: t.Annotated[str | None, "what the standby has", "LSN"]
    timeline: t.Annotated[int | None, "of the standby"]
    address: t.Annotated[str, "of the old master"]
    port: t.Annotated[int, "of SSH there"]
    unit: t.Annotated[str, "of its server"]
    steps: SalvageSteps


class RemovalSteps(t.TypedDict):
    """Steps of remove_standby."""

    release: t.Annotated[Hosts, "lets no commit wait for it"]
    let_go: t.Annotated[Hosts, "lets its guard let no commit wait for it"]
    leave: t.Annotated[Hosts, "is looked after as what was a standby"]
    stop: t.Annotated[Hosts, "is stopped for good"]
    let_in: t.Annotated[Hosts, "further standbys and master that let in each other only"]
    late_settings: t.Annotated[Hosts, "takes back settings that were for the standby"]
    take_away: t.Annotated[Hosts, "forgets the standby"]
    let_out: t.Annotated[Hosts, "lets no standby in any more"]
    source: t.Annotated[Hosts, "is no source any more"]
    password: t.Annotated[Hosts, "forgets the password unless the role stays"]
    interlock: t.Annotated[Hosts, "start without asking it"]
    discard: t.Annotated[Hosts, "deletes its data"]
    free: t.Annotated[Hosts, "is left as if nothing of this collection had ever been there"]
    forget: t.Annotated[Hosts, "those that stay, and are not asked by it any more"]
    confirm: t.Annotated[Hosts, "is asked whether no standby is missed"]


class RemovalPlan(Plan):
    """Of remove_standby."""

    engine: t.Annotated[str, "key of the engine, which has the words"]
    standby: t.Annotated[str | None, "who is removed"]
    slot: t.Annotated[str, "its slot on the master"]
    others: t.Annotated[Hosts, "standbys that stay"]
    segments: t.Annotated[bool, "whether segments use the role"]
    reachable: t.Annotated[bool, "whether the standby's host can be reached"]
    stop: t.Annotated[bool, "whether its data is marked and its server stopped"]
    was: t.Annotated[str, "standby or master, as the mark says"]
    discard: t.Annotated[bool, "whether its data is deleted"]
    system_identifier: t.Annotated[str | None, "of the master"]
    synchronous: t.Annotated[dict[str, str] | None, "for whom commits wait: was, value"]
    hba_lines: t.Annotated[list[str], "that let the others replicate from each other"]
    hba_file: t.Annotated[str, "where the master has such lines"]
    take: t.Annotated[list[str], "what the master gives up: slot, registration, role"]
    late_settings: t.Annotated[dict[str, str | None], "that were for the standby and are taken back"]
    forgotten: t.Annotated[Hosts, "whose keys are good for nothing any more; nobody: all"]
    rewind_roles: t.Annotated[list[str], "that a killed rewind has left"]
    endpoints: t.Annotated[Endpoints, "those that stay: address and port"]
    confirm: t.Annotated[bool, "whether the master is asked"]
    left: t.Annotated[list[str], "what nobody could or may touch, and what goes on"]
    let_go_seconds: t.Annotated[int, "that the guard has for letting no commit wait for it"]
    steps: RemovalSteps


class UninstallSteps(t.TypedDict):
    """Steps of uninstall."""

    remove: t.Annotated[Hosts, "standbys that are removed first; an empty name is what is left of earlier ones"]
    guard: t.Annotated[Hosts, "have a guard"]
    witness: t.Annotated[Hosts, "bear witness"]
    let_go: t.Annotated[Hosts, "lets its commits wait for nobody any more"]
    master: t.Annotated[Hosts, "goes on as an ordinary server"]
    views: t.Annotated[Hosts, "have the extension's files"]
    leave: t.Annotated[Hosts, "hosts that could be reached, of which all is taken away"]
    empty: t.Annotated[Hosts, "those without data, whose server's unit goes as well"]
    segments: t.Annotated[Hosts, "segments that report no longer"]


class UninstallPlan(Plan):
    """Of uninstall."""

    engine: t.Annotated[str, "key of the engine, which has the words"]
    standby: t.Annotated[None, "nobody"]
    endpoints: t.Annotated[Endpoints, "all hosts: address and port"]
    hba_file: t.Annotated[str, "where the master has lines for segments"]
    left: t.Annotated[list[str], "what stays, and why"]
    steps: UninstallSteps


PLANS: dict[str, tuple[type, type]] = {
    "init_master": (InitMasterPlan, InitMasterSteps),
    "init_standby": (MirrorPlan, MirrorSteps),
    "resync_standby": (ResyncPlan, ResyncSteps),
    "init_segments": (SegmentsPlan, SegmentsSteps),
    "failover": (FailoverPlan, FailoverSteps),
    "switchover": (SwitchoverPlan, SwitchoverSteps),
    "salvage": (SalvagePlan, SalvageSteps),
    "rollback": (RollbackPlan, RollbackSteps),
    "remove_standby": (RemovalPlan, RemovalSteps),
    "uninstall": (UninstallPlan, UninstallSteps),
}


def only(host: str | None, does: bool = True) -> list[str]:
    """Return a step's hosts where one host does it, or nobody."""
    return [host] if host is not None and does else []
