# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What state.yml can find, by kind, and how the playbook ends with it. Pure.

These words and numbers stay, whatever the sentences become: monitors know them.
"""

from __future__ import annotations

import typing as t

WELL, NO_MASTER, TWO_MASTERS, NOT_REDUNDANT, NOT_READY, CANNOT_LOOK = 0, 10, 11, 12, 13, 14
#: with several problems the first of these is told: what is certain and worst comes first
PRECEDENCE = (TWO_MASTERS, CANNOT_LOOK, NO_MASTER, NOT_REDUNDANT, NOT_READY)
EXITS = {
    WELL: "all is well",
    NO_MASTER: "no host accepts writes",
    TWO_MASTERS: "more than one host accepts writes",
    NOT_REDUNDANT: "there is no second copy that is in step",
    NOT_READY: "a failover or a switchover would be refused, would wait, or would lose something",
    CANNOT_LOOK: "a host cannot be looked at, and may be the master or the standby in step",
}


class Sort(t.NamedTuple):
    """What a kind of finding is about."""

    #: WELL is a note, all else is a problem
    exit_code: int
    meaning: str
    #: a problem that ``state_accept`` cannot make a note, although its code is NOT_READY
    stays: bool = False


KINDS: dict[str, Sort] = {
    "access-rules": Sort(WELL, "the standby lets other clients in than the master"),
    "address-configured": Sort(
        NOT_READY, "something else than this collection gives a host the address that follows the master"
    ),
    "address-elsewhere": Sort(NOT_READY, "the address that follows the master is not on the master alone"),
    "address-interface": Sort(NOT_READY, "a host lacks the interface that is to have that address, or it is down"),
    "address-misfit": Sort(NOT_READY, "that address is in no network of a host's interface"),
    "address-program": Sort(
        NOT_READY, "what holds that address is missing on a host, does not work, or was told another address"
    ),
    "address-taken": Sort(NOT_READY, "another host answers for that address"),
    "ahead": Sort(NOT_REDUNDANT, "the standby has WAL of the master's timeline that the master does not have"),
    "archive-failing": Sort(NOT_READY, "WAL cannot be archived, and stays on the disk"),
    "awaited": Sort(WELL, "the master keeps WAL for a host that is no standby now"),
    "cannot-ask": Sort(NOT_READY, "a host cannot ask the other before its server starts as a master"),
    "cannot-look": Sort(CANNOT_LOOK, "a host, or its server, cannot be looked at"),
    "collation-difference": Sort(NOT_READY, "the standby's host sorts texts by another version than the master's"),
    "collation-outdated": Sort(NOT_READY, "indexes on texts of the master were made with another version"),
    "configuration-errors": Sort(NOT_READY, "a server would refuse its configuration at its next start"),
    "damaged": Sort(NOT_REDUNDANT, "a server says that its data is damaged"),
    "data-closed": Sort(NOT_READY, "the server's user may not write a part of its data"),
    "disk-nearly-full": Sort(NOT_READY, "less than a twentieth of a disk, or less than 256 MB for WAL, is free"),
    "failover-refused": Sort(NOT_READY, "a failover would be refused", stays=True),
    "fence-left": Sort(WELL, "an old record of a fence is left on the standby, and forbids nothing"),
    "fenced": Sort(NOT_READY, "a record of a fence is left on the standby"),
    "follows-elsewhere": Sort(NOT_READY, "the standby is told another address of its master than the inventory"),
    "guard-missing": Sort(
        NOT_READY,
        "what keeps commits waiting for the standby does not run",
        stays=True,
    ),
    "interlock-changed": Sort(NOT_READY, "what keeps a former master from starting is not as it was installed"),
    "interlock-missing": Sort(NOT_READY, "what keeps a former master from starting is missing"),
    "inventory-directory": Sort(CANNOT_LOOK, "a server runs from another data directory than the inventory says"),
    "inventory-name": Sort(
        CANNOT_LOOK, "a standby's master is no host of the inventory, and a name of the inventory cannot be resolved"
    ),
    "inventory-port": Sort(NOT_READY, "a server listens on another port than the inventory says", stays=True),
    "kept-aside": Sort(WELL, "old data waits for its deletion"),
    "lagging": Sort(NOT_READY, "more WAL than state_lag_megabytes would be lost with the master's host"),
    "left-behind": Sort(
        NOT_READY, "a former master was not fenced and is no standby now: nobody knows what only it has"
    ),
    "library-missing": Sort(NOT_READY, "a host lacks a library that its databases load"),
    "listens-elsewhere": Sort(NOT_READY, "a server does not listen where it would be looked for as the master"),
    "locale-missing": Sort(NOT_READY, "a host lacks a locale that its databases have"),
    "login-refused": Sort(NOT_READY, "the standby's login is refused, so it could not connect again"),
    "mark-missing": Sort(NOT_READY, "a running standby has lost its mark: after a restart it would accept writes"),
    "memory-against": Sort(NOT_READY, "a segment remembers what a failover would be refused for", stays=True),
    "memory-not-believed": Sort(WELL, "what a segment remembers is damaged, or of another system"),
    "memory-removed": Sort(
        NOT_READY, "systemd removes the server's shared memory when a session of its user ends: it gives none then"
    ),
    "named-place": Sort(
        NOT_READY,
        "a file that a server's configuration names has vanished or is closed: it would not start again",
    ),
    "newer-timeline": Sort(NOT_REDUNDANT, "a host holds a newer timeline than the master"),
    "no-free-sessions": Sort(NOT_READY, "the standby has no session left for anybody"),
    "no-master": Sort(NO_MASTER, "no host accepts writes"),
    "no-session": Sort(NOT_READY, "the standby runs and gives no session"),
    "no-standby": Sort(NOT_REDUNDANT, "the master has no standby; a note while none is expected"),
    "no-witness": Sort(WELL, "commits wait for the standby, and nobody bears witness of when they do not"),
    "not-at-boot": Sort(WELL, "a server would not start when its host does"),
    "not-in-group": Sort(NOT_READY, "a standby is not in the inventory"),
    "not-mounted": Sort(NOT_READY, "the file system that a host's data belongs on is not mounted"),
    "not-synchronized": Sort(NOT_REDUNDANT, "the master says that a standby is not Synchronized"),
    "other-slot-lost": Sort(NOT_READY, "a slot of others has ended, since WAL that it needs was removed"),
    "other-slot-near-limit": Sort(NOT_READY, "the master will soon remove WAL that a slot of others needs"),
    "other-slots": Sort(NOT_READY, "the standby does not have slots of others that the master has"),
    "other-unit": Sort(NOT_READY, "another unit than the named one runs a server, so the interlock is not asked"),
    "peer-program": Sort(NOT_READY, "what answers the other master hosts is missing on a host, or another version"),
    "process-stopped": Sort(NOT_READY, "a part of a server is stopped by a signal, such as what replays WAL"),
    "read-only": Sort(NOT_READY, "a file system of a server's data is mounted read-only"),
    "receiver-silent": Sort(NOT_READY, "the standby has not heard of its master for more than a minute"),
    "renamed": Sort(WELL, "a standby was made under another name than the inventory has"),
    "replay-blocked": Sort(NOT_READY, "sessions on the standby hold its replay up"),
    "replay-paused": Sort(NOT_READY, "replay on the standby is paused"),
    "restart-pending": Sort(WELL, "settings of a server change with its next restart"),
    "restart-waits": Sort(NOT_READY, "a restart of the master would wait for a host without data"),
    "segment-away": Sort(WELL, "a segment cannot be looked at"),
    "segment-shut-out": Sort(NOT_READY, "a segment reports, and the master does not let it in or has not heard of it"),
    "settings-differ": Sort(WELL, "settings of the standby differ from the master's"),
    "settings-harmful": Sort(NOT_READY, "a setting of the standby delays its recovery, or would end it"),
    "settings-lost": Sort(NOT_READY, "the standby lacks a setting of the master that would be missed after a swap"),
    "settings-too-small": Sort(NOT_READY, "the standby has less of a setting than its master, so it cannot replay on"),
    "several-systems": Sort(TWO_MASTERS, "several hosts accept writes, for different database systems"),
    "slot-lost": Sort(NOT_REDUNDANT, "the master has removed WAL that the standby needs"),
    "slot-near-limit": Sort(NOT_READY, "the master will soon remove WAL that the standby needs"),
    "slot-not-synchronised": Sort(NOT_READY, "the standby lacks a slot that it is to have from its master"),
    "stale-slot": Sort(WELL, "a slot on the standby keeps WAL for nobody"),
    "stale-slot-grown": Sort(NOT_READY, "a slot on the standby keeps more than 1 GB of WAL for nobody"),
    "standby-down": Sort(NOT_REDUNDANT, "a standby does not run, and its master has not noticed yet"),
    "start-waits": Sort(WELL, "a server's start waits for something"),
    "switchover-refused": Sort(NOT_READY, "a switchover would be refused"),
    "tablespace-place": Sort(NOT_REDUNDANT, "a tablespace's place is missing on a host, or is none for its server"),
    "two-masters": Sort(TWO_MASTERS, "several hosts accept writes for the same database system"),
    "unit-masked": Sort(NOT_READY, "the unit of a server is masked, so it cannot be started"),
    "unlogged-tables": Sort(WELL, "tables that are not in the WAL are empty after a failover or a switchover"),
    "unregistered": Sort(WELL, "a standby runs that the master does not know"),
    "wal-limit": Sort(NOT_READY, "the WAL that is kept for a standby may fill the master's disk"),
    "witness-missing": Sort(
        NOT_READY, "too few witnesses can be asked, so that a failover could not know whether anything is lost"
    ),
}
#: what ``state_accept`` may name
ACCEPTABLE = tuple(name for name, sort in KINDS.items() if sort.exit_code == NOT_READY and not sort.stays)


def exit_code(kinds: t.Iterable[str]) -> int:
    """Return the exit code of a state with problems of these kinds."""
    found = {KINDS[kind].exit_code for kind in kinds}
    return next((code for code in PRECEDENCE if code in found), WELL)
