# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What judgement is told beside the observations. Each judge reads those that concern it. Types only."""

from __future__ import annotations

import typing as t

from ..values.observation import Observations


class Options(t.TypedDict, total=False):
    """What the operator and the roles' variables say, and what a run has learnt since it began."""

    standby_host: t.Annotated[str | None, "the host that is or becomes the standby"]
    master_host: t.Annotated[str | None, "the host that is or becomes the master"]
    existing_data: t.Annotated[str, "what to do with data in the way: refuse, keep or discard"]
    replace_standby: t.Annotated[bool, "whether a standby comes instead of another one"]
    additional_standby: t.Annotated[bool, "whether a standby comes beside another one"]
    master_restart_allowed: t.Annotated[bool, "whether the master may be restarted once"]
    master_is_down: t.Annotated[bool, "the operator's word that the old master is off"]
    accept_data_loss: t.Annotated[bool, "whether what cannot be fetched may be lost"]
    accept_collation_difference: t.Annotated[bool, "whether a standby's host may sort texts by another version"]
    other_slots: t.Annotated[str, "what becomes of slots of others in a swap: refuse, lose or remake"]
    accept_settings: t.Annotated[list[str], "settings of the master that may be lost in a swap"]
    fence_command: t.Annotated[str | None, "what switches the old master off"]
    stale_seconds: t.Annotated[int, "so long a standby may have heard nothing of a master that is off"]
    resync_route: t.Annotated[str | None, "the cheapest way that may be taken"]
    binaries_method: t.Annotated[str, "how the engine's programs come to a host: packages, archive or installed"]
    binaries_packages: t.Annotated[list[str], "packages that hold them, where the operator names these"]
    ignore_witness: t.Annotated[list[str], "segments and witnesses that are not to be believed"]
    ssh_keys_restrict: t.Annotated[bool, "whether master hosts may ask each other by SSH, and do nothing else there"]
    replication_user: t.Annotated[str, "role that standbys connect as"]
    segment_user: t.Annotated[str, "role that segments register as"]
    view_databases: t.Annotated[list[str], "databases that get the views beside those that always do"]
    wal_keep_megabytes: t.Annotated[int, "megabytes of WAL that are kept for an absent standby at most"]
    tablespace_mapping: t.Annotated[dict[str, str], "where tablespaces of the master go on the standby"]
    archive: t.Annotated[str, "what a standby gets WAL from an archive by; empty for nothing"]
    divergence: t.Annotated[dict[str, t.Any] | None, "what divergence_info found; None while it was not asked"]
    failed_routes: t.Annotated[dict[str, str], "ways that have failed in this run, each with the reason"]
    damaged: t.Annotated[bool, "whether the server that was started last has ended with damaged data"]
    inventory: t.Annotated[list[str], "all hosts of the inventory, whatever groups they are in"]
    check: t.Annotated[bool, "whether the run is to change nothing"]
    remove_standbys: t.Annotated[bool, "whether standbys may be removed before all is taken away"]
    all_goes: t.Annotated[bool, "whether the segments and all else go after a standby that is removed"]
    renamed: t.Annotated[dict[str, str], "names that standbys are registered under, by the host's name now"]
    witnesses: t.Annotated[Observations, "observations of the segments, and of hosts that only bear witness"]
    only_witnesses: t.Annotated[list[str], "those of them that are no segments"]
    promises_assumed: t.Annotated[bool, "whether witnesses are taken to promise what they are asked for, without that"]
    programs: t.Annotated[dict[str, str], "digests of the collection's own programs on the controller"]
    mirroring_mode: t.Annotated[str, "whether commits wait for a standby: asynchronous, synchronous or strict"]
    mirroring_degrade_after: t.Annotated[float, "seconds that a standby may owe its answer before it is lost"]
    mirroring_synchronous_count: t.Annotated[int, "for how many standbys a commit waits, where there are several"]
    state_expect_standby: t.Annotated[
        bool | None, "whether the master ought to have a standby; null: if there ever was one"
    ]
    state_accept: t.Annotated[list[str], "kinds of problems that are notes"]
    state_lag_megabytes: t.Annotated[int, "megabytes of WAL that may be lost with the master's host"]
