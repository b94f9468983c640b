# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the state finds: each kind with its host, its words, its command; the exit codes and what is accepted."""

from __future__ import annotations

import typing as t

import cases
import others
import pytest
import test_inventory
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import topology
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.guard import NOBODY_REGISTERED
from ansible_collections.hawq.mirroring.plugins.module_utils.values import findings, places
from host_needs import NEEDS, have, needing
from observations import (
    CLOSED,
    FILES,
    FOREIGN,
    FORMER,
    GIGABYTE,
    HOSTS,
    OWN,
    REMOVED,
    SEGMENT,
    SLOT,
    Observation,
    change,
    control,
    empty,
    frozen,
    master,
    mirrored,
    place,
    set_to,
    silent,
    slot,
    space,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

Hosts = dict[str, Observation]
RESYNC = "ansible-playbook hawq.mirroring.resync_standby"
FAILOVER = "ansible-playbook hawq.mirroring.failover"
INIT = "ansible-playbook hawq.mirroring.init_standby"
STATE = "ansible-playbook hawq.mirroring.state"
UNIT = "hawq-master.service"
PERMISSION = places.permission(UNIT)


#: of a pair whose commits wait for the standby
GUARD: dict[str, t.Any] = {
    "mode": "synchronous",
    "degrade_after": 5.0,
    "count": 1,
    "witnesses": ["sdw1"],
    "active": True,
    "enabled": True,
    "files": {"/etc/systemd/system/hawq-mirroring-guard-hawq-master.service": "digest"},
    "unit": "hawq-mirroring-guard-hawq-master.service",
    "says": "SYNCHRONOUS",
}


def row(summary: str, detail: str | None = None, message: str | None = None) -> dict[str, t.Any]:
    return {
        "server.mirroring": {"summary_state": summary, "detail_state": detail, "since": None, "error_message": message}
    }


UNLOGGED = {"database": "shop", "names": ["public.sessions", 'public."Cache"'], "number": 3}
WAITS = {"service.waits_for": "a host cannot be asked"}
NO_RECEIVER = {"server.receiver": None, "data_directory.marked_standby": False}
GONE = "If smdw is lost for good, and it is certain that no newer master was there: on mdw: touch /run/hawq"
RECORD = "/data/hawq/master/hawq_mirroring.fence"
LOST = {**row("Not Synchronized", "Connection error", "standby smdw is not connected"), "server.senders": []}
UNUSED = slot(active=False, active_pid=None)
OF_MDW = slot("hawq_mirroring_mdw", active=False, active_pid=None)


def pair(smdw: dict[str, t.Any] | None = None, mdw: dict[str, t.Any] | None = None) -> Hosts:
    """Return a pair in which all is well but for this."""
    return {"mdw": mirrored("mdw", mdw), "smdw": standby("smdw", smdw)}


def vanished(
    setting: str, path: str, wanted: str = "read", trouble: str = "missing", starts: bool = True
) -> dict[str, t.Any]:
    """Return a file that a configuration names and that is not there any more."""
    return {"setting": setting, "path": path, "wanted": wanted, "starts": starts, "trouble": trouble}


def preloading(library: str, here: bool) -> dict[str, t.Any]:
    """Return what a server says that loads one more library, with a configuration of its own."""
    told = have()
    need = {"name": library, "path": None, "by": ["shared_preload_libraries"], "starts": True, "here": here}
    told["server.needs"]["libraries"].append(need)
    return {**told, "configuration.outside": True}


def program(**here: t.Any) -> dict[str, t.Any]:
    return {"program": "a", "settings": {}, "unit": "b", "stale": False, "enabled": True, "active": True, **here}


def told(data: str = "/data/hawq/master", **peers: str) -> dict[str, t.Any]:
    """Return what an interlock is told."""
    peer = {"port": 5432, "unit": UNIT}
    return {"data_directory": data, "peers": [{**peer, "name": n, "address": a} for n, a in peers.items()]}


def interlock(**here: t.Any) -> dict[str, t.Any]:
    return {"programs": {"interlock": program(settings=told(mdw="mdw"), **here)}}


#: a host that has been prepared for a server's data
HAD_DATA = interlock()
BLOCKER = {"pid": 4712, "user": "anna", "name": "report", "open_seconds": 61.4}
ASKED = {"server": "accepted", "host": "answered"}
DENIED = {"server": "accepted", "host": "Permission denied (publickey)"}
OTHER_KEY = {"ssh.authorized": [], "ssh.restricted": []}
ADDRESS = {"address": "192.0.2.10/24", "here": False, "taken": None}
ADDRESSES = {"virtual-ip": {**program(), "state": "active", "says": ""}}
LIMIT = {"server.settings.kept_wal_limit_bytes": 10 * GIGABYTE}
#: of a master that was activated a while ago, when mdw was the master
AFTER = {"server.slots": [OF_MDW], **LIMIT}
SHUT = {"probes.smdw.open": False, "probes.smdw.answers": False}
HERE = {**ADDRESS, "here": True}
NEWER = {"server.timeline": 2, "server.checkpoint_timeline": 2, "histories": {"2": [[1, "0/3017F88"]]}}
NEWER_STOPPED = {"control": control("in production", timeline=2), "histories": {"2": [[1, "0/3017F88"]]}}
AHEAD = "0/9000000"
STAYS = "the server of smdw stays on until then, since it may not start again"
DELTA = f"{RESYNC} -e resync_route=delta (what mdw alone has written is given up; {STAYS})"
FENCE = "/data/hawq/master/hawq_mirroring.fence"
#: of a former master that remove_standby has taken away
BY_REMOVAL = {**FORMER, "data_directory.fence_run": "remove_standby-20261123T101416Z-1a2b"}

#: kind, its exit code when it is a problem and 0 when it is a note, its host, words of the text, words of the command
Found = tuple[str, int, t.Optional[str], str, str]
ONE: dict[str, tuple[Hosts, Found]] = {
    "no standby after a failover": (
        {"mdw": stopped("mdw", {"data_directory.fenced": True}), "smdw": master("smdw", AFTER)},
        ("no-standby", 12, "smdw", "smdw has no standby (slot hawq_mirroring_mdw keeps WAL for one)", RESYNC),
    ),
    "no standby after a failover, and the former master's host is off": (
        {"mdw": unreachable(), "smdw": master("smdw", AFTER)},
        ("no-standby", 12, "smdw", "smdw has no standby", RESYNC),
    ),
    "no standby after a failover, and somebody has dropped the slot": (
        {
            "mdw": stopped("mdw", {"data_directory.fenced": True}),
            "smdw": master("smdw", {"server.master_name": "smdw"}),
        },
        ("no-standby", 12, "smdw", "smdw has no standby", RESYNC),
    ),
    "no standby after a switchover that was killed, and nothing is registered, and somebody has dropped the slot": (
        {
            "mdw": stopped("mdw", FORMER),
            "smdw": master("smdw", {"server.master_name": "smdw", "server.segments": [SEGMENT], **NEWER}),
        },
        ("no-standby", 12, "smdw", "smdw has no standby", RESYNC),
    ),
    "a crashed master beside one that knows nothing of it": (
        {"mdw": stopped("mdw"), "smdw": master("smdw", NEWER)},
        ("no-standby", 12, "smdw", "smdw has no standby", RESYNC),
    ),
    "a master that took over, and nothing else is left of the pair": (
        {"mdw": empty("mdw"), "smdw": master("smdw", NEWER)},
        ("no-standby", 12, "smdw", "smdw has no standby", INIT),
    ),
    "a master that took over, and nobody can look at the other host": (
        {"mdw": unreachable(), "smdw": master("smdw", NEWER)},
        ("no-standby", 12, "smdw", "smdw has no standby", RESYNC),
    ),
    "a master that never took over, and nobody can look at the other host": (
        {"mdw": master(), "smdw": unreachable()},
        ("no-standby", 0, "mdw", "mdw has no standby", INIT),
    ),
    "the former master was removed": (
        {"mdw": stopped("mdw", BY_REMOVAL), "smdw": master("smdw", NEWER)},
        ("no-standby", 0, "smdw", "smdw has no standby", RESYNC),
    ),
    "the data of the former standby was deleted on purpose": (
        {"mdw": empty("mdw", {"data_directory.removed_on_purpose": True}), "smdw": master("smdw", NEWER)},
        ("no-standby", 0, "smdw", "smdw has no standby", INIT),
    ),
    "the data of another system is no second copy": (
        {"mdw": master(), "smdw": stopped("smdw", {"control.system_identifier": FOREIGN})},
        ("no-standby", 0, "mdw", "mdw has no standby", INIT),
    ),
    "no standby was ever made": ({"mdw": master()}, ("no-standby", 0, "mdw", "mdw has no standby", INIT)),
    "no standby was ever made, segments know the master": (
        {"mdw": master("mdw", {"server.master_name": "mdw", "blocks.segments": ["host all"]})},
        ("no-standby", 0, "mdw", "mdw has no standby", INIT),
    ),
    "no standby was ever made, three hosts": (
        cases.three(),
        ("no-standby", 0, "mdw", "mdw has no standby", f"{INIT} -e standby_host=smdw"),
    ),
    "the standby was removed": (
        {"mdw": master(), "smdw": stopped_standby("smdw", REMOVED)},
        ("no-standby", 0, "mdw", "mdw has no standby", RESYNC),
    ),
    "standby stopped": (
        {"mdw": mirrored("mdw", LOST), "smdw": stopped_standby()},
        (
            "not-synchronized",
            12,
            "smdw",
            "standby smdw is Not Synchronized (Connection error; smdw is a standby whose server is stopped",
            RESYNC,
        ),
    ),
    "standby's host off": (
        {"mdw": mirrored("mdw", LOST), "smdw": unreachable()},
        ("not-synchronized", 12, "smdw", "its host is not reachable by SSH", f"switch smdw on, then: {RESYNC}"),
    ),
    "cut off for a while": (
        pair({"server.receiver": None, "server.last_commit_at": 1795428856.0}, LOST),
        ("not-synchronized", 12, "smdw", "its last commit is of 2026-11-23 10:14:16 UTC", RESYNC),
    ),
    "its login refused": (
        pair({"credentials.login": "FATAL: password authentication failed"}, LOST),
        ("not-synchronized", 12, "smdw", "its login to the master is answered: FATAL: password", RESYNC),
    ),
    "catching up": (
        pair(None, row("Synchronizing", None, "9 GB behind")),
        ("not-synchronized", 12, "smdw", "standby smdw is Synchronizing (9 GB behind)", f"look again: {STATE}"),
    ),
    "copied, and its host is off": (
        {"mdw": mirrored("mdw", row("Synchronizing")), "smdw": unreachable()},
        ("not-synchronized", 12, "smdw", "is Synchronizing (no reason known", f"switch smdw on, then: {RESYNC}"),
    ),
    "the view is missing": (
        pair(None, {"server.mirroring": None}),
        ("not-synchronized", 12, "smdw", "standby smdw is Not Synchronized (Unexpected error)", RESYNC),
    ),
    "standby stopped, and its master has not noticed": (
        {"mdw": mirrored(), "smdw": stopped_standby()},
        ("standby-down", 12, "smdw", "smdw is a standby whose server is stopped", RESYNC),
    ),
    "standby frozen": (
        {"mdw": mirrored(), "smdw": frozen(standby())},
        ("standby-down", 12, "smdw", "a frozen server process, which mdw has not noticed yet", RESYNC),
    ),
    "slot lost": (
        pair(None, {**LOST, "server.slots": [slot(lost=True, wal="lost")]}),
        ("slot-lost", 12, "smdw", f"mdw has removed WAL that standby smdw needs (slot {SLOT} is lost)", RESYNC),
    ),
    "slot near its limit": (
        pair(None, {"server.slots": [slot(safe_bytes=500 << 20)]}),
        ("slot-near-limit", 13, "smdw", "mdw keeps WAL for smdw for 500 MB more only, of 10.0 GB", RESYNC),
    ),
    "damaged standby": (
        pair({"server_damage": "invalid page in block 3"}),
        ("damaged", 12, "smdw", "as its server says: invalid page in block 3", RESYNC),
    ),
    "damaged standby without a session": (
        pair({"server": None, "server_error": "no session", "server_damage": "invalid page"}),
        ("damaged", 12, "smdw", "the data of smdw is damaged", RESYNC),
    ),
    "the master was set back": (
        pair({"server.have_lsn": AHEAD, "server.replay_lsn": AHEAD, "server.receiver": None}, LOST),
        (
            "ahead",
            12,
            "smdw",
            "smdw holds 96 MB more WAL of timeline 1 than mdw has written",
            f"{FAILOVER}, then {DELTA}. That",
        ),
    ),
    "the master was set back within a WAL segment file, and sends from the beginning of that": (
        pair({"server.have_lsn": "0/3018000", "server.replay_lsn": "0/3018000"}),
        ("ahead", 12, "smdw", "smdw holds 120 B more WAL of timeline 1 than mdw", f"{FAILOVER}, then {DELTA}. That"),
    ),
    "the master was set back, standby stopped": (
        {
            "mdw": mirrored("mdw", LOST),
            "smdw": stopped_standby("smdw", {"control.min_recovery_lsn": AHEAD}),
        },
        ("ahead", 12, "smdw", "was mdw set back", f"{RESYNC} -e accept_data_loss=true"),
    ),
    "a master after this one came back later": (
        {
            "mdw": master("mdw", {"server.slots": [UNUSED], **LIMIT}),
            "smdw": stopped("smdw", NEWER_STOPPED),
        },
        (
            "newer-timeline",
            12,
            "smdw",
            "smdw has the data of a master",
            f"systemctl start {UNIT}. That of mdw: {RESYNC}",
        ),
    ),
    "the standby is on a newer timeline": (
        pair(NEWER, LOST),
        ("newer-timeline", 12, "smdw", "on timeline 2, and the master mdw is on timeline 1", f"then {FAILOVER}"),
    ),
    "standby that the inventory does not have": (
        {"mdw": mirrored()},
        ("not-in-group", 13, "smdw", "no failover can use it", "add it to the group masters, or take it away"),
    ),
    "standby that the inventory calls by another name": (
        cases.renamed_pair(),
        (
            "renamed",
            0,
            "smdw",
            "smdw was made a standby under the name s2, by which mdw has it registered",
            "which copies nothing: ansible-playbook hawq.mirroring.init_standby -e standby_host=smdw",
        ),
    ),
    "fenced": (
        pair(
            {
                "data_directory.fenced": True,
                "data_directory.fence_timeline": 1,
                "data_directory.fence_run": "resync_standby-1",
            }
        ),
        ("fenced", 13, "smdw", "a failover would not take it", RESYNC),
    ),
    "told another address": (
        pair({"follows.host": "10.1.1.1"}),
        (
            "follows-elsewhere",
            13,
            "smdw",
            "told to follow 10.1.1.1:5432, and the inventory has mdw at mdw:5432",
            RESYNC,
        ),
    ),
    "settings below the master's": (
        pair({"server.replay_paused": True}, set_to(max_connections="200", max_slot_wal_keep_size="10240")),
        ("settings-too-small", 13, "smdw", "smdw has a lower max_connections (its master has 200)", RESYNC),
    ),
    "66: a library that a function needs is missing": (
        needing(have(library={"postgis-3": False})),
        (
            "library-missing",
            13,
            "smdw",
            "postgis-3 (extension postgis of database shop)",
            "Install on smdw what has it. What that is says, on mdw: dpkg",
        ),
    ),
    "87: a locale of a database is missing": (
        needing(have(locale={"de_DE.UTF-8": False})),
        ("locale-missing", 13, "smdw", "de_DE.UTF-8 (database shop)", "localedef -i de_DE -f UTF-8 de_DE.UTF-8 &&"),
    ),
    "68: its C library sorts otherwise": (
        needing(have(libc="2.28")),
        ("collation-difference", 13, "smdw", "libc 2.36 on mdw and by libc 2.28 on smdw (database shop)", "report"),
    ),
    "68: after a failover to another C library": (
        needing(have(libc="2.28"), have(libc="2.28")),
        (
            "collation-outdated",
            13,
            "mdw",
            "(database shop) were made with libc 2.36, and are sorted by 2.28",
            "REINDEX",
        ),
    ),
    "its own setting delays its recovery": (
        pair({"server.settings.harmful": {"recovery_min_apply_delay": "0"}}),
        ("settings-harmful", 13, "smdw", "recovery_min_apply_delay of smdw delays its recovery", RESYNC),
    ),
    "an archive that nobody has named (70)": (
        pair(set_to(restore_command="cp /archive/%f %p")),
        ("settings-harmful", 13, "smdw", "restore_command of smdw", RESYNC),
    ),
    "paused by hand": (
        pair({"server.replay_paused": True}),
        ("replay-paused", 13, "smdw", "replay on smdw is paused", RESYNC),
    ),
    "held up by a session": (
        pair({"server.replay_blocked": True, "server.blockers": [BLOCKER]}),
        ("replay-blocked", 13, "smdw", "process 4712 of anna, open for 61 s", "pg_terminate_backend(4712)"),
    ),
    "held up, nobody knows by whom": (
        pair({"server.replay_blocked": True}),
        ("replay-blocked", 13, "smdw", "it cannot be said which", f"on smdw: systemctl restart {UNIT}"),
    ),
    "no session left": (
        pair({"server.sessions_free": 0}),
        ("no-free-sessions", 13, "smdw", "smdw has no session left", f"on smdw: systemctl restart {UNIT}"),
    ),
    "no session at all": (
        pair({"server": None, "server_error": "FATAL: sorry, too many clients already"}),
        ("no-session", 13, "smdw", "gives no session (FATAL: sorry, too many clients", f"systemctl restart {UNIT}"),
    ),
    "receiver silent": (
        pair({"server.receiver.silent_seconds": 75.0}),
        ("receiver-silent", 13, "smdw", "has not heard of its master for 75 s", RESYNC),
    ),
    "login refused while it is connected": (
        pair({"credentials.login": "FATAL: no pg_hba.conf entry"}),
        ("login-refused", 13, "smdw", "its login is answered: FATAL: no pg_hba.conf entry", RESYNC),
    ),
    "guard stopped on the standby's host": (
        pair({"guard": {**GUARD, "active": False}}, {"guard": GUARD}),
        ("guard-missing", 13, "smdw", "does not run", "systemctl start hawq-mirroring-guard-hawq-master.service"),
    ),
    "guard gone from the master's host": (
        pair({"guard": GUARD}),
        ("guard-missing", 13, "mdw", "commits wait for ever when the standby is lost", "hawq.mirroring.init_standby"),
    ),
    "commits wait, and there is no witness": (
        pair({"guard": {**GUARD, "witnesses": []}}, {"guard": {**GUARD, "witnesses": []}}),
        ("no-witness", 0, None, "a failover could not know", "name hosts in the group witnesses"),
    ),
    "interlock's program missing": (
        pair(interlock(program=None)),
        ("interlock-missing", 13, "smdw", "lacks its program: after a restart", RESYNC),
    ),
    "interlock's line in the unit missing, on the master": (
        pair(None, {"programs": {"interlock": program(settings=told(smdw="smdw"), unit=None)}}),
        ("interlock-missing", 13, "mdw", "lacks its line in the unit: after a restart", RESYNC),
    ),
    "interlock's settings missing": (
        pair({"programs": {"interlock": program(settings=None)}}),
        ("interlock-missing", 13, "smdw", "lacks its file of settings: after a restart", RESYNC),
    ),
    "interlock of another version": (
        pair(interlock(program="old")),
        (
            "interlock-changed",
            13,
            "smdw",
            "before a master starts, is another version than the one here",
            RESYNC,
        ),
    ),
    "interlock not read yet": (
        pair(interlock(stale=True)),
        ("interlock-changed", 13, "smdw", "systemd has not read yet", "on smdw: systemctl daemon-reload"),
    ),
    "interlock taken away by a drop-in": (
        pair({**interlock(), "service.before": "{ path=/bin/true }"}),
        (
            "interlock-changed",
            13,
            "smdw",
            "a drop-in of hawq-master.service takes away the line",
            "on smdw: systemctl cat hawq-",
        ),
    ),
    "interlock asks at another address": (
        pair({"programs": {"interlock": program(settings=told(mdw="10.1.1.1"))}}),
        ("interlock-changed", 13, "smdw", "told to ask mdw at 10.1.1.1:5432, not mdw:5432", RESYNC),
    ),
    "interlock asks nobody": (
        pair({"programs": {"interlock": program(settings=told(sdw1="sdw1"))}}),
        ("interlock-changed", 13, "smdw", "not told to ask mdw", RESYNC),
    ),
    "interlock looks at other data": (
        pair({"programs": {"interlock": program(settings=told("/old", mdw="mdw"))}}),
        ("interlock-changed", 13, "smdw", "told of the data directory /old", RESYNC),
    ),
    "interlock's settings of no use": (
        pair({"programs": {"interlock": program(settings=["x"])}}),
        ("interlock-changed", 13, "smdw", "told nothing of use", RESYNC),
    ),
    "the other host lets nobody in, whoever has a key": (
        pair(None, {"asks": {"smdw": DENIED}}),
        ("cannot-ask", 13, "mdw", "mdw cannot ask smdw", "let gpadmin of mdw in by SSH on smdw"),
    ),
    "the other host does not know the key": (
        pair({"asks": {"mdw": DENIED}, **OTHER_KEY}),
        ("cannot-ask", 13, "smdw", "Permission denied (publickey)", RESYNC),
    ),
    "its host key is not known at this port": (
        pair({"asks": {"mdw": {"server": "accepted", "host": "Host key verification failed"}}}),
        ("cannot-ask", 13, "smdw", "Host key verification failed", RESYNC),
    ),
    "what answers is missing": (
        pair({"programs": {"peer": program(program=None)}}),
        ("peer-program", 13, "smdw", "on smdw is missing", RESYNC),
    ),
    "the address's program is missing": (
        pair({"virtual_ip": ADDRESS, "programs": {"virtual-ip": program(program=None)}}, {"virtual_ip": HERE}),
        ("address-program", 13, "smdw", "the address could not follow the master", RESYNC),
    ),
    "a third host has the address": (
        pair(
            {"programs": ADDRESSES, "virtual_ip": place("smdw")},
            {"programs": ADDRESSES, "virtual_ip": place("mdw", here=True, others=["02:aa:00:00:00:01"])},
        ),
        ("address-taken", 13, "mdw", "answers for 192.0.2.10 (02:aa:00:00:00:01)", "Take 192.0.2.10 off the host"),
    ),
    "another program has the address": (
        pair(
            {"programs": ADDRESSES, "virtual_ip": place("smdw", named_in=["/etc/keepalived/keepalived.conf"])},
            {"programs": ADDRESSES, "virtual_ip": place("mdw", here=True)},
        ),
        ("address-configured", 13, "smdw", "keepalived.conf on smdw names 192.0.2.10", "Take it out there on smdw"),
    ),
    "no interface for the address": (
        pair(
            {"programs": ADDRESSES, "virtual_ip": place("smdw", link="missing")},
            {"programs": ADDRESSES, "virtual_ip": place("mdw", here=True)},
        ),
        ("address-interface", 13, "smdw", "smdw has no interface eth0", "Set virtual_ip_interface for smdw"),
    ),
    "the address is in no network there": (
        pair(
            {"programs": ADDRESSES, "virtual_ip": place("smdw", networks=["10.0.0.0/24"])},
            {"programs": ADDRESSES, "virtual_ip": place("mdw", here=True)},
        ),
        ("address-misfit", 13, "smdw", "is in no network of eth0 on smdw", "Correct virtual_ip_address"),
    ),
    "the address is nowhere": (
        pair({"virtual_ip": ADDRESS, "programs": {"virtual-ip": program()}}, {"virtual_ip": ADDRESS}),
        ("address-elsewhere", 13, "mdw", "is on no host, and should be on the master mdw", INIT),
    ),
    "unit masked": (
        pair({"service.load": "masked", "service.enabled": "masked"}),
        ("unit-masked", 13, "smdw", f"{UNIT} on smdw is masked", f"on smdw: systemctl unmask {UNIT}"),
    ),
    "a file that nobody may change": (
        pair({"data_directory.unchangeable": "/data/hawq/master/PG_VERSION"}),
        ("read-only", 13, "smdw", "PG_VERSION on smdw is marked", "on smdw: chattr -i -a /data/hawq/master/PG_VERSION"),
    ),
    "what replays is stopped": (
        pair({"process.stopped": {"4713": "postgres: startup recovering 000000010000000000000003"}}),
        ("process-stopped", 13, "smdw", "4713 (postgres: startup recovering", "on smdw: kill -CONT 4713"),
    ),
    "its user may not write its WAL": (
        pair({"data_directory.closed": "/data/hawq/master/pg_wal"}),
        (
            "data-closed",
            13,
            "smdw",
            "gpadmin may not write /data/hawq/master/pg_wal on smdw",
            "on smdw: chown gpadmin /data/hawq/master/pg_wal && chmod u+rwX /data/hawq/master/pg_wal",
        ),
    ),
    "its user may not read what it is told to follow": (
        pair(
            {
                "data_directory.closed": "/data/hawq/master/postgresql.auto.conf",
                "follows": {"host": None, "port": None, "user": None, "database": None},
            }
        ),
        ("data-closed", 13, "smdw", "may not write /data/hawq/master/postgresql.auto.conf", "chown gpadmin /data"),
    ),
    "its file system takes no more files": (
        pair({"data_directory.wal_free_files": 3}),
        (
            "disk-nearly-full",
            13,
            "smdw",
            "the file system of the WAL on smdw takes 3 more files",
            "on smdw: du --inodes",
        ),
    ),
    "its mark is gone": (
        pair({"data_directory.marked_standby": False}),
        ("mark-missing", 13, "smdw", "/data/hawq/master/standby.signal is gone from smdw, a running standby", RESYNC),
    ),
    "its file system is read-only": (
        pair({"data_directory.read_only": "/data/hawq/master"}),
        (
            "read-only",
            13,
            "smdw",
            "the file system of /data/hawq/master on smdw is mounted read-only",
            "on smdw: mount -o remount,rw $(findmnt -nT /data/hawq/master -o TARGET)",
        ),
    ),
    "a boot would hide its data": (
        pair({"data_directory.unmounted": "/data"}),
        (
            "not-mounted",
            13,
            "smdw",
            "nothing is mounted at /data on smdw, where the file system of /data/hawq/master belongs: what is there"
            " now would be hidden when that is mounted",
            "on smdw: grep -rs /data /etc/fstab /etc/systemd/system",
        ),
    ),
    "a restart of the master would wait for a host without data": (
        {
            **pair(None, {"programs": {"interlock": program(settings=told(smdw="smdw", sdw1="sdw1"))}}),
            "sdw1": empty("sdw1"),
        },
        ("restart-waits", 13, "sdw1", "a restart of mdw would wait for sdw1", f"{RESYNC} -e standby_host=sdw1"),
    ),
    "another unit runs the server": (
        pair({"run_by": "postgresql@15-main.service"}),
        (
            "other-unit",
            13,
            "smdw",
            f"the server on smdw is run by postgresql@15-main.service, and the inventory names {UNIT}: the interlock",
            "Set server_service=postgresql@15-main.service for smdw in the inventory, then: ansible-playbook",
        ),
    ),
    "a unit that starts others": (
        pair(None, {"service.type": "oneshot", "run_by": None}),
        ("other-unit", 13, "mdw", f"{UNIT} on mdw runs no server itself (Type=oneshot)", "to the unit that runs"),
    ),
    "another unit would start it at boot": (
        pair(None, {"rivals": [{"unit": "postgresql-15.service", "mend": "systemctl disable postgresql-15.service"}]}),
        (
            "other-unit",
            13,
            "mdw",
            f"postgresql-15.service on mdw would start the same server at boot as {UNIT}: the",
            "on mdw: systemctl disable postgresql-15.service",
        ),
    ),
    "postgresql-common would start it at boot": (
        pair({"rivals": [{"unit": "postgresql@15-main.service", "mend": "echo manual >x"}]}),
        (
            "other-unit",
            13,
            "smdw",
            "postgresql@15-main.service on smdw would start",
            "Keep it from that, on smdw: echo manual >x, then: ansible-playbook",
        ),
    ),
    "tables that are in no WAL": (
        pair(None, {"server.needs": {**NEEDS, "unlogged": [UNLOGGED]}}),
        (
            "unlogged-tables",
            0,
            "mdw",
            'empty after a failover or a switchover: public.sessions, public."Cache" and 1 more of database shop',
            '-d shop -c "ALTER TABLE public.sessions SET LOGGED" -c "ALTER TABLE public.\\"Cache\\" SET LOGGED"',
        ),
    ),
    "no disk left for data": (
        pair({"data_directory.free_bytes": 2 * GIGABYTE}),
        ("disk-nearly-full", 13, "smdw", "smdw has 2.0 GB of 60.0 GB free for data", "on smdw: du -xhd1 /data/hawq"),
    ),
    "83: the standby listens at loopback addresses only": (
        pair({**set_to(listen_addresses="localhost,smdw"), "bound": ["127.0.0.1", "127.0.1.1"]}),
        (
            "listens-elsewhere",
            13,
            "smdw",
            "its server listens at 127.0.0.1, 127.0.1.1 only: clients and the other hosts could not reach it",
            "ALTER SYSTEM SET listen_addresses = '*'",
        ),
    ),
    "no disk left for WAL": (
        pair({"data_directory.wal_free_bytes": 200 << 20}),
        ("disk-nearly-full", 13, "smdw", "smdw has 200 MB free for WAL", "make room there"),
    ),
    "the files of a tablespace are gone (69)": (
        pair({"tablespaces": [space("/ts", there="nothing")]}),
        ("tablespace-place", 12, "smdw", "/ts on smdw, where a tablespace is: its files are gone", RESYNC),
    ),
    "a login's end takes the server's shared memory": (
        pair({"user.memory_removed": True}),
        ("memory-removed", 13, "smdw", "gpadmin on smdw is no system user", "on smdw: loginctl enable-linger gpadmin"),
    ),
    "WAL could fill the disk": (
        pair(None, {"data_directory.wal_free_bytes": GIGABYTE}),
        ("wal-limit", 13, "mdw", "up to 10.0 GB, and has room for 1.1 GB", "max_slot_wal_keep_size = '870MB'"),
    ),
    "WAL is kept without a limit": (
        pair(None, {"server.settings.kept_wal_limit_bytes": None}),
        ("wal-limit", 13, "mdw", "without a limit", "SELECT pg_reload_conf()"),
    ),
    "far behind": (
        pair(None, {"server.current_lsn": "0/5017F88"}),
        ("lagging", 13, "smdw", "smdw lacks 32 MB of WAL that mdw has confirmed, and 16 MB are accepted", STATE),
    ),
    "a switchover would be refused": (
        pair({"credentials.private": False}),
        ("switchover-refused", 13, "mdw", "a switchover would be refused: the replication password", RESYNC),
    ),
    "no unit at boot": (
        pair(None, {"service.enabled": "disabled"}),
        ("not-at-boot", 0, "mdw", f"{UNIT} on mdw would not start at boot", f"on mdw: systemctl enable {UNIT}"),
    ),
    "kept aside": (
        pair({"data_directory.kept": ["/data/hawq/master.hawq-lost-0-3000028"]}),
        ("kept-aside", 0, "smdw", "to be deleted when nobody needs it", "on smdw: rm -r /data/hawq/master.hawq-lost-0"),
    ),
    "other rules": (
        pair({"server.access_rules": "other"}),
        ("access-rules", 0, "smdw", "pg_hba.conf on smdw has other rules than on mdw", "then on smdw: runuser"),
    ),
    "a standby that the master does not know": (
        {"mdw": mirrored(), "smdw": standby(), "sdw1": standby("sdw1")},
        ("unregistered", 0, "sdw1", "that mdw does not know", "-e standby_host=sdw1 -e additional_standby=true"),
    ),
    "crashed master": (
        {"mdw": stopped("mdw"), "smdw": standby()},
        (
            "no-master",
            10,
            None,
            "no host accepts writes",
            f"systemctl start {UNIT}); if that does not help, make smdw the",
        ),
    ),
    "crashed master, and the host of a further standby is off": (
        {"mdw": unreachable("mdw"), "sdw1": stopped("sdw1", CLOSED), "smdw": standby("smdw", CLOSED)},
        ("no-master", 10, None, "no host accepts writes", f"start sdw1 again (on sdw1: systemctl start {UNIT})"),
    ),
    "fenced master": (
        {"mdw": stopped("mdw", {"data_directory.fenced": True}), "smdw": standby()},
        ("no-master", 10, None, "no host accepts writes", f"make smdw the master: {FAILOVER}"),
    ),
    "both stopped, the newer one is to be started": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", NEWER_STOPPED)},
        ("no-master", 10, None, "no host accepts writes", f"start smdw again (on smdw: systemctl start {UNIT})"),
    ),
    "both stopped on the same timeline": (
        {
            "mdw": stopped("mdw", {"control.checkpoint_lsn": "0/5000000"}),
            "smdw": stopped("smdw"),
        },
        ("no-master", 10, None, "no host", f"on mdw: touch {PERMISSION} && systemctl start {UNIT}"),
    ),
    "the standby is newer than the stopped master": (
        {"mdw": stopped("mdw"), "smdw": standby("smdw", {"server.timeline": 2})},
        ("no-master", 10, None, "no host accepts writes", f"make smdw the master: {FAILOVER}"),
    ),
    "frozen master": (
        {"mdw": frozen(master()), "smdw": standby()},
        (
            "no-master",
            10,
            None,
            "no host accepts writes",
            "let it go on there (kill -CONT 103 $(pgrep -P 103))",
        ),
    ),
    "the master's start waits": (
        {"mdw": stopped("mdw", {"service.waits_for": "smdw cannot be asked", **SHUT}), "smdw": unreachable()},
        ("no-master", 10, None, "the start of mdw waits: smdw cannot be asked", "it starts by itself"),
    ),
    "the master's host is off": (
        {"mdw": unreachable(), "smdw": standby("smdw", CLOSED)},
        ("no-master", 10, None, "no host accepts writes", f"make smdw the master: {FAILOVER} -e master_is_down=true"),
    ),
    "its data is gone, or not mounted": (
        {"mdw": stopped("mdw", WAITS), "smdw": empty("smdw", HAD_DATA)},
        ("no-master", 10, None, "the start of mdw waits", f"mount it there, and mdw starts by itself. {GONE}"),
    ),
    "the start of one of two that are equal waits": (
        {
            "mdw": stopped("mdw", {"control.checkpoint_lsn": "0/5000000"}),
            "smdw": stopped("smdw", WAITS),
        },
        (
            "no-master",
            10,
            None,
            "the start of smdw waits",
            f"on mdw: touch {PERMISSION} && systemctl start",
        ),
    ),
    "what it waits for was left half-way": (
        {"mdw": stopped("mdw", WAITS), "smdw": stopped("smdw", {"data_directory.unfinished": True, **NEWER_STOPPED})},
        (
            "no-master",
            10,
            None,
            "the start of mdw waits",
            f"to go on without it: on mdw: touch {PERMISSION}",
        ),
    ),
    "the one that is further waits": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", {"control.checkpoint_lsn": "0/5000000", **WAITS})},
        ("no-master", 10, None, "the start of smdw waits", f"then: on smdw: touch {PERMISSION}"),
    ),
    "the newer one beside a frozen one": (
        {"mdw": frozen(master()), "smdw": stopped("smdw", NEWER_STOPPED)},
        ("no-master", 10, None, "no host", f"on mdw: systemctl stop {UNIT}, then on smdw: systemctl start {UNIT}"),
    ),
    "a stopped one beside a frozen one of the same timeline": (
        {"mdw": frozen(master()), "smdw": stopped("smdw")},
        (
            "no-master",
            10,
            None,
            "no host accepts writes",
            "on mdw, let it go on there (kill -CONT 103 $(pgrep -P 103))",
        ),
    ),
    "one runs as a standby of nobody, without the mark of one": (
        {
            "mdw": standby("mdw", {**NO_RECEIVER, "follows.host": None}),
            "smdw": standby("smdw", {"server.receiver": None}),
        },
        ("no-master", 10, None, "no host accepts writes", f"on mdw: systemctl restart {UNIT}"),
    ),
    "a standby whose mark was removed follows a master that is off": (
        {"mdw": unreachable(), "smdw": standby("smdw", {**NO_RECEIVER, **CLOSED})},
        ("no-master", 10, None, "no host accepts writes", f"make smdw the master: {FAILOVER} -e master_is_down=true"),
    ),
    "data that was there is nowhere": (
        {"mdw": empty("mdw", HAD_DATA), "smdw": empty("smdw", HAD_DATA)},
        ("no-master", 10, None, "no host", "if the data of mdw or smdw is on a file system that is not mounted, mount"),
    ),
    "a standby that was removed is the last copy": (
        {"mdw": empty("mdw"), "smdw": stopped_standby("smdw", REMOVED)},
        ("no-master", 10, None, "no host accepts writes", f"on smdw: rm {RECORD}, then: {FAILOVER} -e master_is_down"),
    ),
    "a standby that is fenced is the last copy": (
        {"mdw": empty("mdw", HAD_DATA), "smdw": standby("smdw", FORMER)},
        ("no-master", 10, None, "no host accepts writes", f"on smdw: rm {RECORD}, then: {FAILOVER} -e master_is_down"),
    ),
    "the last copy was left half-way": (
        {"mdw": empty("mdw"), "smdw": stopped("smdw", {"data_directory.unfinished": True})},
        ("no-master", 10, None, "no host accepts writes", "nothing whole is left: restore a backup, or begin anew"),
    ),
    "the master's server is stopped, and its unit has another name": (
        {
            "mdw": stopped("mdw", {"service.load": "not-found", "rivals": [{"unit": "pg.service", "mend": "x"}]}),
            "smdw": empty(),
        },
        (
            "no-master",
            10,
            None,
            "no host accepts writes",
            "hawq-master.service is no unit of mdw: set server_service for it in the inventory to the unit that runs"
            " its server (that is pg.service), then look again",
        ),
    ),
    "nothing anywhere": (
        {"mdw": empty("mdw"), "smdw": empty()},
        ("no-master", 10, None, "no host accepts writes", "init_master -e master_host=mdw"),
    ),
    "somebody's files": (
        {"mdw": empty("mdw", FILES), "smdw": standby("smdw", CLOSED)},
        ("no-master", 10, None, "no host accepts writes", "Mount it"),
    ),
    "the master's host is off for the controller, its server answers": (
        {"mdw": unreachable(), "smdw": standby()},
        ("cannot-look", 14, "mdw", "may be the master (its server answers smdw)", "ssh mdw true must work"),
    ),
    "the master's server cannot be asked": (
        {
            "mdw": silent("mdw", {"binaries.client_library": False, "server_error": "psycopg2 is missing"}),
            "smdw": standby(),
        },
        (
            "cannot-look",
            14,
            "mdw",
            "the server on mdw cannot be asked what it is (psycopg2 is missing)",
            "ansible mdw -b -m",
        ),
    ),
    "the master's server lets others in": (
        {
            "mdw": silent("mdw", {"process.pidfile": {"status": "ready"}, "server_error": "role x does not exist"}),
            "smdw": standby(),
        },
        (
            "cannot-look",
            14,
            "mdw",
            "gives no session to this collection (role x does not exist): it may be the master",
            "mend what that says (on mdw: journalctl -n 20 -u hawq-master.service), then look again: ansible-playbook",
        ),
    ),
    "the master's server is starting": (
        {"mdw": silent("mdw", {"process.pidfile": {"status": "starting"}}), "smdw": standby()},
        ("no-master", 10, None, "no host accepts writes", "systemctl stop hawq-master.service on mdw"),
    ),
    "no host can be looked at": (
        {"mdw": unreachable("Permission denied (publickey)"), "smdw": unreachable("Permission denied (publickey)")},
        ("cannot-look", 14, None, "no host can be looked at: mdw is not reachable by SSH (Permission", "ssh mdw true"),
    ),
    "the standby in step cannot be looked at": (
        {"mdw": mirrored(), "smdw": unreachable()},
        ("cannot-look", 14, "smdw", "whether it could take over cannot be said", f"then look again: {STATE}"),
    ),
    "two masters, one promoted by hand": (
        {"mdw": mirrored("mdw", {"virtual_ip": HERE, "server.clients": 3}), "smdw": master("smdw", NEWER)},
        ("two-masters", 11, None, "3 clients, holds 192.0.2.10/24; smdw: timeline 2", "to keep what smdw has, on mdw"),
    ),
    "two masters, one started past its unit": (
        {"mdw": mirrored(), "smdw": master("smdw", {"service.active": "inactive"})},
        ("two-masters", 11, None, "mdw and smdw both accept writes", "on smdw: kill -INT 104"),
    ),
    "two clusters in one inventory": (
        {"mdw": mirrored(), "smdw": master("smdw", {"server.system_identifier": FOREIGN})},
        (
            "several-systems",
            11,
            None,
            f"system {OWN}: mdw (a master that accepts writes); system {FOREIGN}: smdw (a master that accepts",
            "nothing needs to be stopped. Put each system into a group of its own in the inventory, instead of the"
            " group masters: mdw_masters with mdw and smdw_masters with smdw (any names that end in _masters will do)."
            " Then say which one is meant: -e cluster=mdw or -e cluster=smdw. All at once are told by",
        ),
    ),
    "archiving fails (N6)": (
        pair(None, {"server.archiver": others.archiver(failed_at=1795428900.0, failed_wal="00000002.history")}),
        (
            "archive-failing",
            13,
            "mdw",
            "it failed for 00000002.history at 2026-11-23 10:15:00 UTC, it has never succeeded since",
            "journalctl -u hawq-master.service",
        ),
    ),
    "archiving fails again": (
        pair(None, {"server.archiver": others.archiver(archived_at=1795428800.0, failed_at=1795428900.0, waiting=12)}),
        ("archive-failing", 13, "mdw", "12 WAL segment files wait for that", "journalctl"),
    ),
    "archiving hangs": (
        pair(None, {"server.archiver": others.archiver(waiting=12, waiting_seconds=301.4)}),
        ("archive-failing", 13, "mdw", "nothing was archived on mdw for 301 s, and 12 WAL segment files", "journalctl"),
    ),
    "archiving on, and nothing that does it": (
        pair(None, {"server.archiver": others.archiver(told_how=False)}),
        ("archive-failing", 13, "mdw", "mdw is told to archive WAL, and not how", "set archive_command or"),
    ),
    "a standby that archives as well fails": (
        pair({"server.archiver": others.archiver(mode="always", failed_at=1795428900.0)}),
        ("archive-failing", 13, "smdw", "archiving fails on smdw", "on smdw: journalctl"),
    ),
    "its configuration has an error": (
        pair(
            None, {"server.configuration_errors": [f"{others.CONF} line 826: foo unrecognized configuration parameter"]}
        ),
        ("configuration-errors", 13, "mdw", "line 826: foo unrecognized", "correct that"),
    ),
    "the standby's configuration has an error": (
        pair({"server.configuration_errors": [f"{others.CONF} line 3: syntax error"]}),
        ("configuration-errors", 13, "smdw", "the configuration of smdw has errors", "correct that"),
    ),
    "the access file is gone from the standby": (
        pair({"named": [vanished("hba_file", "/data/hawq/master/pg_hba.conf")]}),
        (
            "named-place",
            13,
            "smdw",
            "hba_file names /data/hawq/master/pg_hba.conf, which is not there on smdw: its server would not start any",
            "scp -3 -p mdw:/data/hawq/master/pg_hba.conf smdw:/data/hawq/master/pg_hba.conf, then on smdw: chown"
            " gpadmin /data/hawq/master/pg_hba.conf, then look again",
        ),
    ),
    "a key of the master can be read by others": (
        pair(None, {"named": [vanished("ssl_key_file", "/etc/pg.key", wanted="private", trouble="too open")]}),
        ("named-place", 13, "mdw", "/etc/pg.key, which can be read by others", "on mdw: chown gpadmin /etc/pg.key &&"),
    ),
    "the directory of the logs is gone": (
        pair({"named": [vanished("log_directory", "/srv/log/pg", wanted="make")]}),
        (
            "named-place",
            13,
            "smdw",
            "log_directory names /srv/log/pg",
            "on smdw: install -d -o gpadmin -m 700 /srv/log/pg",
        ),
    ),
    "what names users otherwise is gone": (
        pair({"named": [vanished("ident_file", "/etc/pg_ident.conf", starts=False)]}),
        ("named-place", 13, "smdw", "what relies on that fails there after the next start", "scp -3 -p mdw:/etc"),
    ),
    "a library that the master has loaded is gone from it": (
        needing(have(), have(library={"pg_stat_statements": False})),
        (
            "library-missing",
            13,
            "mdw",
            "mdw lacks libraries that databases load: pg_stat_statements (shared_preload_libraries",
            "Install on mdw what has it",
        ),
    ),
    "one that the standby alone loads is gone from it": (
        needing(preloading("pg_cron", here=False)),
        ("library-missing", 13, "smdw", "smdw lacks libraries that databases load: pg_cron", "Install on smdw"),
    ),
    "a setting waits for a restart": (
        pair(None, {"server.pending_restart": ["shared_buffers"]}),
        ("restart-pending", 0, "mdw", "shared_buffers on mdw will have another value", "systemctl restart"),
    ),
    "archiving would end with a swap (73)": (
        pair({"server.configured": {}}, {"server.configured": others.configured(archive_mode="on")}),
        (
            "settings-lost",
            13,
            "smdw",
            "archive_mode is off on smdw and on on mdw: WAL would not be archived any more",
            '-d postgres -c "ALTER SYSTEM SET archive_mode = \'on\'" -c "SELECT pg_reload_conf()",'
            " then on smdw: systemctl restart hawq-master.service",
        ),
    ),
    "settings differ": (
        pair({"server.configured": {}}, {"server.configured": others.configured(work_mem="65536")}),
        ("settings-differ", 0, "smdw", "work_mem is 4096 on smdw and 65536 on mdw", "make them alike"),
    ),
    "slots of others (74)": (
        pair(None, {"server.slots": [slot(), others.BARMAN, others.DEBEZIUM]}),
        (
            "other-slots",
            13,
            "mdw",
            "barman (physical, keeps WAL from 0/17414F8); debezium (logical, pgoutput, database app, confirmed up to"
            " 0/2000060)",
            "other_slots=remake",
        ),
    ),
    "a slot of others has ended (75)": (
        pair(None, {"server.slots": [slot(), {**others.DEBEZIUM, "lost": True}]}),
        ("other-slot-lost", 13, "mdw", "the slot debezium on mdw has ended", "pg_drop_replication_slot('debezium')"),
    ),
    "a slot that standbys are to have, and this one is not told (76)": (
        pair(others.SEVENTEEN, {**others.SEVENTEEN, "server.slots": [slot(), others.FAILOVER]}),
        ("slot-not-synchronised", 13, "smdw", "smdw is not told to synchronise slots", INIT),
    ),
    "a slot that waits for its consumer": (
        pair(
            {**others.SEVENTEEN, "follows.database": "postgres", "server.slots": [others.WAITING]},
            {**others.SEVENTEEN, "server.slots": [slot(), others.FAILOVER]},
        ),
        ("slot-not-synchronised", 13, "smdw", "smdw has not synchronised debezium yet", STATE),
    ),
    "a slot of its time as the master (74)": (
        pair({"server.slots": [{**others.BARMAN, "keeps_from": "0/1000000"}]}),
        ("stale-slot", 0, "smdw", "keeps 32 MB of WAL for barman", "-d postgres -c"),
    ),
    "such a slot that keeps much": (
        pair({"server.slots": [{**others.BARMAN, "keeps_from": "0/1000000"}], "server.have_lsn": "1/1000000"}),
        ("stale-slot-grown", 13, "smdw", "keeps 4.0 GB of WAL for barman", "pg_drop_replication_slot('barman')"),
    ),
    "one machine twice": (
        {
            "mdw": mirrored(),
            "smdw": master("smdw", {"machine.machine_id": "mdw-id", "machine.addresses": ["10.9.0.2"]}),
        },
        ("two-masters", 11, None, "smdw and mdw are the same machine", "Name another host"),
    ),
}
PROGRAMS = {"interlock": "a", "peer": "a", "virtual-ip": "a"}


@pytest.mark.parametrize(("hosts", "expected"), ONE.values(), ids=ONE)
def test_one_thing_is_found(hosts: Hosts, expected: Found) -> None:
    """Exactly that one, so that nothing is said twice."""
    kind, code, host, text, command = expected
    document = cases.state(hosts, {"programs": PROGRAMS})
    found = [*document["problems"], *document["notes"]]
    assert [each["kind"] for each in found] == [kind], found
    assert (document["exit_code"], document["healthy"]) == (code, not code)
    assert len(document["problems"]) == bool(code)
    assert found[0]["host"] == host
    assert text in found[0]["text"]
    assert command in found[0]["command"]


THREE = {"server.standbys": ["sdw1"], "server.slots": [slot("hawq_mirroring_sdw1"), OF_MDW], **LIMIT}
#: of a master that was promoted by hand beside a further standby
LED = {"server.standbys": ["sdw1"], "server.slots": [slot("hawq_mirroring_sdw1")], **NEWER, **LIMIT}
BESIDE: dict[str, tuple[Hosts, Found]] = {
    "a slot of others is near the limit": (
        pair(None, {"server.slots": [slot(), {**others.DEBEZIUM, "safe_bytes": 1 << 20}]}),
        (
            "other-slot-near-limit",
            13,
            "mdw",
            "keeps WAL for the slot debezium for 1 MB more only, of 10.0 GB",
            "SET max_slot_wal_keep_size = '41",
        ),
    ),
    "a former master is awaited": (
        {
            "mdw": unreachable(),
            "smdw": mirrored("smdw", THREE),
            "sdw1": standby("sdw1", {"follows.host": "smdw", **CLOSED}),
        },
        ("awaited", 0, "mdw", "smdw keeps WAL for mdw", f"switch mdw on, then: {RESYNC} -e standby_host=mdw"),
    ),
    "a crashed former master that nobody has looked at": (
        {"mdw": stopped("mdw"), "smdw": mirrored("smdw", LED), "sdw1": standby("sdw1", {"follows.host": "smdw"})},
        ("left-behind", 13, "mdw", "may have commits that smdw lacks", f"{RESYNC} -e standby_host=mdw -e additional_"),
    ),
    "a fenced former master with commits of its own": (
        {
            "mdw": stopped("mdw", {"data_directory.fenced": True, "wal_end": AHEAD}),
            "smdw": mirrored("smdw", {**THREE, **NEWER}),
            "sdw1": standby("sdw1", {"follows.host": "smdw", **NEWER}),
        },
        ("left-behind", 13, "mdw", "of WAL from after", f"{RESYNC} -e standby_host=mdw, which keeps it aside"),
    ),
    "a frozen former master": (
        {"mdw": frozen(master()), "smdw": mirrored("smdw", LED), "sdw1": standby("sdw1", {"follows.host": "smdw"})},
        ("left-behind", 13, "mdw", "mdw is a frozen server process", f"{RESYNC} -e standby_host=mdw -e additional_"),
    ),
    "a former master for which WAL is kept": (
        {"mdw": stopped("mdw"), "smdw": mirrored("smdw", THREE), "sdw1": standby("sdw1", {"follows.host": "smdw"})},
        ("left-behind", 13, "mdw", "nobody has looked", f"{RESYNC} -e standby_host=mdw"),
    ),
    "fenced, and gives no session": (
        pair({"data_directory.fenced": True, "server": None, "server_error": "FATAL: sorry, too many clients already"}),
        ("fenced", 13, "smdw", "a failover would not take it", f"on smdw: systemctl restart {UNIT}, then: {RESYNC}"),
    ),
    "a frozen standby that has more than the master": (
        {
            "mdw": mirrored("mdw", LOST),
            "smdw": frozen(standby("smdw", {"control.min_recovery_lsn": AHEAD})),
        },
        ("ahead", 12, "smdw", "was mdw set back", f"then systemctl restart {UNIT} on smdw, then {FAILOVER}"),
    ),
    "a promoted one that gives no session": (
        {"mdw": mirrored("mdw", LOST), "smdw": silent("smdw", NEWER_STOPPED)},
        ("newer-timeline", 12, "smdw", "gives no session", f"then on smdw: systemctl restart {UNIT}. That of mdw"),
    ),
    "a former master's start waits": (
        {
            "mdw": stopped("mdw", {"service.waits_for": "smdw does not answer"}),
            "smdw": mirrored("smdw", THREE),
            "sdw1": standby("sdw1", {"follows.host": "smdw", **CLOSED}),
        },
        ("start-waits", 0, "mdw", "the start of mdw waits: smdw does not answer", f"{RESYNC} -e standby_host=mdw"),
    ),
    "the master was set back, and the record of a fence is left on its standby": (
        {
            "mdw": mirrored("mdw", LOST),
            "smdw": stopped_standby("smdw", {"control.min_recovery_lsn": AHEAD, "data_directory.fenced": True}),
        },
        ("ahead", 12, "smdw", "was mdw set back", f"then rm {FENCE} on smdw, then {FAILOVER}, then"),
    ),
    "the address is nowhere, without a standby": (
        {"mdw": master("mdw", {"virtual_ip": ADDRESS}), "smdw": empty()},
        ("address-elsewhere", 13, "mdw", "is on no host", "on mdw: systemctl restart hawq-mirroring-virtual-ip"),
    ),
    "a fence that forbids nothing": (
        pair({"data_directory.fenced": True, "data_directory.fence_timeline": 1, **NEWER}, NEWER),
        ("fence-left", 0, "smdw", "so that it forbids nothing", RESYNC),
    ),
    "no data, and its file system is not mounted": (
        {"mdw": master(), "smdw": empty("smdw", {"data_directory.unmounted": "/data"})},
        (
            "not-mounted",
            13,
            "smdw",
            "where the file system of /data/hawq/master belongs: its data is most likely there",
            "mount it, on smdw: mount /data",
        ),
    ),
}


@pytest.mark.parametrize(("hosts", "expected"), BESIDE.values(), ids=BESIDE)
def test_it_is_found_beside_others(hosts: Hosts, expected: Found) -> None:
    kind, code, host, text, command = expected
    if kind == "fence-left" and not hasattr(topology, "is_fenced"):
        pytest.skip("a fence that is obsolete is not known yet")
    document = cases.state(hosts)
    (found,) = [each for each in document["problems" if code else "notes"] if each["kind"] == kind]
    assert found["host"] == host
    assert text in found["text"]
    assert command in found["command"]


FENCED = {"data_directory.fenced": True}
KEPT = {"server.slots": [OF_MDW], "server.master_name": "smdw", **NEWER}
NEXT: dict[str, tuple[Hosts, str]] = {
    "a former master comes back": (
        {"mdw": stopped("mdw", FENCED), "smdw": master("smdw", KEPT), "sdw1": empty("sdw1")},
        f"{RESYNC} -e standby_host=mdw",
    ),
    "its data is gone, a further one has some": (
        {"mdw": empty("mdw"), "smdw": master("smdw", KEPT), "sdw1": stopped("sdw1", FENCED)},
        f"{RESYNC} -e standby_host=sdw1",
    ),
    "it is off, and WAL is kept for it": (
        {"mdw": unreachable(), "smdw": master("smdw", KEPT), "sdw1": empty("sdw1")},
        f"{RESYNC} -e standby_host=mdw",
    ),
    "it was taken away, and the other host has nothing": (
        {"mdw": stopped("mdw", BY_REMOVAL), "smdw": master("smdw", NEWER), "sdw1": empty("sdw1")},
        f"{INIT} -e standby_host=sdw1",
    ),
    "nobody has anything": (
        {"mdw": empty("mdw"), "smdw": master("smdw", NEWER), "sdw1": empty("sdw1")},
        f"{INIT} -e standby_host=mdw",
    ),
}


@pytest.mark.parametrize(("hosts", "command"), NEXT.values(), ids=NEXT)
def test_of_several_hosts_one_is_named(hosts: Hosts, command: str) -> None:
    document = cases.state(hosts)
    (found,) = [row for row in [*document["problems"], *document["notes"]] if row["kind"] == "no-standby"]
    assert found["command"] == command


def test_every_kind_has_a_case() -> None:
    refused = {kind for _hosts, _options, *kinds in OPTIONS.values() for each in kinds for kind in each}
    found = {expected[0] for table in (ONE, BESIDE) for _hosts, expected in table.values()} | refused
    found |= {kind for _hosts, kinds, *_told in test_inventory.STATES.values() for kind in kinds}
    assert found == set(findings.KINDS)


def test_a_kind_is_a_word_in_order() -> None:
    assert list(findings.KINDS) == sorted(findings.KINDS)
    assert {sort.exit_code for sort in findings.KINDS.values()} == set(findings.EXITS)
    assert set(findings.PRECEDENCE) == set(findings.EXITS) - {findings.WELL}


def test_a_well_pair_has_nothing_to_tell() -> None:
    fit = {
        "asks": {"mdw": ASKED},
        "virtual_ip": ADDRESS,
        "programs": {"interlock": program(settings=told(mdw="mdw")), "peer": program(), "virtual-ip": program()},
    }
    lead = {**fit, "asks": {"smdw": {"server": None, "host": "answered"}}, "virtual_ip": HERE}
    lead["programs"] = {**fit["programs"], "interlock": program(settings=told(smdw="smdw"))}
    document = cases.state(pair(fit, lead), {"programs": PROGRAMS})
    assert (document["problems"], document["notes"], document["exit_code"]) == ([], [], 0)


SEVERAL: dict[str, tuple[Hosts, list[str], int]] = {
    "what the master lacks comes before what the standby does": (
        pair({"server.replay_paused": True}, {"virtual_ip": ADDRESS}),
        ["replay-paused", "address-elsewhere"],
        13,
    ),
    "no second copy comes before what is not ready": (
        pair({"data_directory.fenced": True, "data_directory.fence_timeline": 1}, LOST),
        ["not-synchronized", "fenced"],
        12,
    ),
    "who cannot be looked at comes before no master": (
        {"mdw": stopped("mdw"), "smdw": unreachable(), "sdw1": empty("sdw1")},
        ["cannot-look"],
        14,
    ),
}


@pytest.mark.parametrize(("hosts", "kinds", "code"), SEVERAL.values(), ids=SEVERAL)
def test_the_worst_is_the_exit_code(hosts: Hosts, kinds: list[str], code: int) -> None:
    document = cases.state(hosts)
    assert [each["kind"] for each in document["problems"]] == kinds
    assert document["exit_code"] == code


CODES = {
    "none": ([], 0),
    "two masters before all": (["no-master", "cannot-look", "two-masters"], 11),
    "cannot look before no master": (["no-standby", "no-master", "cannot-look"], 14),
    "no master before no second copy": (["no-standby", "no-master"], 10),
    "no second copy before not ready": (["fenced", "no-standby"], 12),
    "notes do not count": (["kept-aside"], 0),
}


@pytest.mark.parametrize(("kinds", "code"), CODES.values(), ids=CODES)
def test_the_precedence(kinds: list[str], code: int) -> None:
    assert findings.exit_code(kinds) == code


OPTIONS: dict[str, tuple[Hosts, dict[str, t.Any], list[str], list[str]]] = {
    "none is expected": (
        {"mdw": unreachable(), "smdw": master("smdw", AFTER)},
        {"state_expect_standby": False},
        [],
        ["no-standby"],
    ),
    "one is expected": ({"mdw": master()}, {"state_expect_standby": True}, ["no-standby"], []),
    "expected or not, one that is there must be in step": (
        pair(None, LOST),
        {"state_expect_standby": False},
        ["not-synchronized"],
        [],
    ),
    "commits wait, and no segment bears witness yet": (
        pair({"guard": GUARD}, {"guard": {**GUARD, "says": f"SYNCHRONOUS: commits wait: {NOBODY_REGISTERED}"}}),
        {"witnesses": {"sdw1": empty("sdw1")}},
        [],
        ["no-witness"],
    ),
    "commits wait, and no segment bears witness": (
        pair({"guard": {**GUARD, "witnesses": []}}, {"guard": {**GUARD, "witnesses": []}}),
        {"witnesses": {"sdw1": empty("sdw1")}},
        ["witness-missing"],
        [],
    ),
    "a segment that is cut off remembers a trouble that is over": (
        pair(),
        cases.segment(summary_state="Not Synchronized"),
        ["memory-against"],
        [],
    ),
    "a trouble that the standby has outlived": (
        pair(),
        cases.segment(summary_state="Not Synchronized", lsn="0/3017F50"),
        [],
        [],
    ),
    "a segment heard of more than the standby had when it was looked at": (
        pair(),
        cases.segment(lsn="0/9000000"),
        [],
        [],
    ),
    "a segment remembers a newer timeline": (pair(), cases.segment(timeline=2), ["memory-against"], []),
    "a memory of another system": (
        pair(),
        cases.segment(summary_state="Not Synchronized", system_identifier=FOREIGN),
        [],
        ["memory-not-believed"],
    ),
    "a segment reports to a database that was renamed": (
        pair({}, {"blocks.segments": ["host postgres seg 10.9.0.4/32 md5"], "server.database": "template1"}),
        {"witnesses": {"sdw1": empty("sdw1", {"programs": {"segment": program()}})}},
        ["segment-shut-out"],
        [],
    ),
    "a segment is off": (pair(), {"witnesses": {"sdw1": unreachable()}}, [], ["segment-away"]),
    "accepted": (
        pair({"server.replay_paused": True}),
        {"state_accept": ["replay-paused"]},
        [],
        ["replay-paused"],
    ),
    "another is accepted": (
        pair({"server.replay_paused": True}),
        {"state_accept": ["lagging"]},
        ["replay-paused"],
        [],
    ),
    "a refused failover is not accepted with its reason": (
        pair({"data_directory.fenced": True, "data_directory.fence_timeline": 1}),
        {"state_accept": ["fenced"]},
        ["failover-refused"],
        ["fenced"],
    ),
    "no lag is accepted": (
        pair(None, {"server.current_lsn": "0/3017F98"}),
        {"state_lag_megabytes": 0},
        ["lagging"],
        [],
    ),
    "much lag is accepted": (
        pair(None, {"server.current_lsn": "0/3F17F88"}),
        {"state_lag_megabytes": 64},
        [],
        [],
    ),
}


@pytest.mark.parametrize(("hosts", "options", "problems", "notes"), OPTIONS.values(), ids=OPTIONS)
def test_what_is_told(hosts: Hosts, options: dict[str, t.Any], problems: list[str], notes: list[str]) -> None:
    document = cases.state(hosts, options)
    assert [each["kind"] for each in document["problems"]] == problems
    assert [each["kind"] for each in document["notes"]] == notes


def test_what_is_accepted_is_not_ready_and_no_more() -> None:
    assert {findings.KINDS[kind].exit_code for kind in findings.ACCEPTABLE} == {findings.NOT_READY}
    assert "failover-refused" not in findings.ACCEPTABLE


def test_nothing_is_said_of_a_standby_that_is_being_put_in_order() -> None:
    seen = {"mdw": mirrored("mdw", LOST), "smdw": stopped_standby("smdw", {"data_directory.kept": ["/x"]})}
    assert cases.state(seen)["problems"]
    settled = cases.state(seen, settled="smdw")
    assert (settled["problems"], [each["kind"] for each in settled["notes"]]) == ([], ["kept-aside"])
    assert cases.state({"mdw": master()}, settled="smdw")["notes"] == []


BACK = {
    "the older one is taken back": (master("smdw", NEWER), "mdw", "smdw", ""),
    "the newer one only by who says so": (master("smdw", NEWER), "smdw", "mdw", " -e accept_data_loss=true"),
    "the same timeline, further": (
        master("smdw", {"server.current_lsn": AHEAD}),
        "smdw",
        "mdw",
        " -e accept_data_loss=true",
    ),
}


@pytest.mark.parametrize(("smdw", "stops", "keeps", "option"), BACK.values(), ids=BACK)
def test_how_either_of_two_masters_is_kept(smdw: Observation, stops: str, keeps: str, option: str) -> None:
    (problem,) = cases.state({"mdw": mirrored(), "smdw": smdw})["problems"]
    said = problem["command"].rpartition(". What")[0]
    way = f"to keep what {keeps} has, on {stops}: systemctl stop {UNIT}, then: {RESYNC}{option}"
    assert way in said.split("; ")[-1 if keeps == "smdw" else 0]
    assert said.split("; ")[-1 if keeps == "smdw" else 0].endswith(f"{RESYNC}{option}")


def test_a_standby_that_streams_has_no_more_than_its_master() -> None:
    """Hosts are not looked at in one moment."""
    assert cases.state(pair({"server.have_lsn": AHEAD}))["problems"] == []


def test_a_login_of_a_host_is_named_by_its_address() -> None:
    assert all(HOSTS[name]["address"] == name for name in HOSTS)
    changed = change(unreachable(), {})
    (problem,) = cases.state({"mdw": mirrored(), "smdw": changed})["problems"]
    assert "ssh smdw true must work on the controller" in problem["command"]
