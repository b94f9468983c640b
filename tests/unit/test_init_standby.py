# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The decision table of init_standby: one row for each outcome."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import init_standby, topology
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Verdict
from ansible_collections.hawq.mirroring.plugins.module_utils.values import phases
from cases import EVERY_KIND, INIT_STANDBY, TWO_MASTERS, Hosts, Options, Refusals, three
from observations import (
    ADDRESSES,
    DATA,
    FILES,
    FOREIGN,
    GIGABYTE,
    HOSTS,
    OWN,
    REMOVED,
    Observation,
    change,
    control,
    directory,
    empty,
    frozen,
    master,
    mirrored,
    probe,
    sender,
    set_to,
    shown,
    silent,
    slot,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

KEEP, DISCARD = {"existing_data": "keep"}, {"existing_data": "discard"}
NEWER = {"histories": {"2": [[1, "0/3017F88"]]}, "control.timeline": 2}
RESTART = {"master_restart_allowed": True}
LOST = {"server.slots": [slot(active=False, active_pid=None, lost=True, wal="lost")], "server.senders": []}
JOB = {
    "snapshot.exists": True,
    "snapshot.copied": True,
    "snapshot.request": {"system_identifier": OWN, "tablespaces": ["/ts"]},
}
FOREIGN_JOB = {
    "snapshot.exists": True,
    "snapshot.copied": True,
    "snapshot.request": {"system_identifier": FOREIGN, "tablespaces": []},
}
LEFTOVER = directory("/ts", "PG_15_202209061", free_bytes=50 * GIGABYTE, device=1)
OTHER_STANDBY = {**mirrored()["server"], "standbys": ["sdw1"]}


def judged(hosts: Hosts, options: Options) -> Verdict:
    assert set(options) <= set(INIT_STANDBY)
    return init_standby.judge(hosts, HOSTS, {**INIT_STANDBY, **options})


def pair(seen: Observation, source: Observation | None = None) -> Hosts:
    return {"mdw": source or master(), "smdw": seen}


def lines_of(*names: str) -> list[str]:
    return [f"host replication hawq_mirroring {ADDRESSES[name]}/32 scram-sha-256" for name in names]


def with_tablespace(overrides: dict[str, t.Any] | None = None) -> Observation:
    source = master()
    rows = [*source["server"]["sizes"], {"name": "ts", "bytes": GIGABYTE, "location": "/ts"}]
    return change(
        source, {"server.sizes": rows, "server.tablespaces": [{"name": "ts", "location": "/ts"}], **(overrides or {})}
    )


PLANS: dict[str, tuple[Hosts, Options, dict[str, t.Any]]] = {
    "empty host": (pair(empty()), {}, {"snapshot": True, "existing_data": "none", "standby": "smdw", "master": "mdw"}),
    "inventory's order does not matter": ({"smdw": empty(), "mdw": master()}, {}, {"master": "mdw"}),
    "roles swapped": (
        {"mdw": empty("mdw"), "smdw": master("smdw")},
        {},
        {"master": "smdw", "standby": "mdw", "slot": "hawq_mirroring_mdw"},
    ),
    "master that was the standby": (
        {"mdw": empty("mdw"), "smdw": mirrored("smdw", LOST)},
        {"standby_host": "mdw"},
        {"master": "smdw", "standby": "mdw"},
    ),
    "three hosts with standby_host": (
        three(),
        {"standby_host": "sdw1"},
        {"master": "mdw", "standby": "sdw1"},
    ),
    "three hosts with a registered standby": (three(mdw=mirrored(), smdw=standby()), {}, {"standby": "smdw"}),
    "a further standby": (
        three(mdw=mirrored(), smdw=standby(), sdw1=empty("sdw1")),
        {"standby_host": "sdw1", "additional_standby": True},
        {
            "standby": "sdw1",
            "standbys": ["sdw1", "smdw"],
            "replace": [],
            "slot": "hawq_mirroring_sdw1",
            "let_in": ["mdw", "smdw"],
            "endpoints": {name: HOSTS[name] for name in ("mdw", "sdw1", "smdw")},
            "passwords": True,
            "source": True,
        },
    ),
    "instead of another": (
        three(mdw=mirrored(), smdw=standby(), sdw1=empty("sdw1")),
        {"standby_host": "sdw1", "replace_standby": True},
        {"standby": "sdw1", "standbys": ["sdw1", "smdw"], "replace": ["smdw"]},
    ),
    "instead of one whose host is gone": (
        three(mdw=mirrored(), smdw=unreachable(), sdw1=empty("sdw1")),
        {"standby_host": "sdw1", "replace_standby": True},
        {
            "replace": ["smdw"],
            "endpoints": {name: HOSTS[name] for name in ("mdw", "sdw1")},
            "hba_lines": sorted({*lines_of("mdw", "smdw"), *lines_of("mdw", "sdw1")}),
        },
    ),
    "instead of one that is in no inventory": (
        {"mdw": change(mirrored(), {"server": {**OTHER_STANDBY, "standbys": ["old"]}}), "smdw": empty()},
        {"standby_host": "smdw", "replace_standby": True},
        {"standby": "smdw", "replace": ["old"], "standbys": ["old", "smdw"]},
    ),
    "a further standby is repaired": (
        three(mdw=mirrored("mdw", {"server.standbys": ["sdw1", "smdw"]}), smdw=standby(), sdw1=stopped_standby("sdw1")),
        {"standby_host": "sdw1"},
        {"standby": "sdw1", "standbys": ["sdw1", "smdw"]},
    ),
    "of two standbys the one that is not in order": (
        three(mdw=mirrored("mdw", {"server.standbys": ["sdw1", "smdw"]}), smdw=standby(), sdw1=stopped_standby("sdw1")),
        {},
        {"standby": "sdw1"},
    ),
    "unreachable bystander": (three(sdw1=unreachable()), {"standby_host": "smdw"}, {"standby": "smdw"}),
    "healthy standby": (
        pair(standby(), mirrored()),
        {},
        {"snapshot": False, "existing_data": "none", "settings": {}, "restart_settings": {}, "make_room": False},
    ),
    "healthy pair: nothing to do": (
        pair(standby(), mirrored()),
        {},
        {"passwords": False, "source": False, "let_in": []},
    ),
    "healthy standby, discard left in the inventory": (
        pair(standby(), mirrored()),
        DISCARD,
        {"snapshot": False, "existing_data": "none", "make_room": False},
    ),
    "healthy standby, disk nearly full": (
        pair(standby("smdw", {"data_directory.free_bytes": 1}), mirrored()),
        {},
        {"snapshot": False},
    ),
    "stopped standby of ours": (pair(stopped_standby(), mirrored()), {}, {"snapshot": False, "existing_data": "none"}),
    "stopped standby of ours, discard": (
        pair(stopped_standby(), mirrored()),
        DISCARD,
        {"snapshot": True, "existing_data": "discard"},
    ),
    "standby of ours whose server gives no session yet": (
        pair(
            change(
                silent(),
                {
                    "data_directory": stopped_standby()["data_directory"],
                    "follows_slot": "hawq_mirroring_smdw",
                },
            ),
            mirrored(),
        ),
        {},
        {"snapshot": False},
    ),
    "stopped standby, lost slot, keep": (
        pair(stopped_standby(), mirrored("mdw", LOST)),
        KEEP,
        {"snapshot": True, "existing_data": "keep"},
    ),
    "stopped standby, lost slot, discard": (
        pair(stopped_standby(), mirrored("mdw", LOST)),
        DISCARD,
        {"snapshot": True, "existing_data": "discard"},
    ),
    "former master, keep": (pair(stopped()), KEEP, {"snapshot": True, "existing_data": "keep"}),
    "former master, discard": (pair(stopped()), DISCARD, {"snapshot": True, "existing_data": "discard"}),
    "foreign data, keep": (
        pair(stopped("smdw", {"control.system_identifier": FOREIGN})),
        KEEP,
        {"snapshot": True, "existing_data": "keep"},
    ),
    "other files, discard": (pair(empty("smdw", FILES)), DISCARD, {"existing_data": "discard"}),
    "empty directory, keep": (pair(empty("smdw", {"data_directory.state": "empty"})), KEEP, {"existing_data": "none"}),
    "snapshot being copied": (pair(empty("smdw", {**JOB, "snapshot.phase": "copying"})), {}, {"snapshot": True}),
    "snapshot fills the disk meanwhile": (
        pair(empty("smdw", {**JOB, "snapshot.phase": "verifying", "data_directory.free_bytes": 1})),
        {},
        {"snapshot": True},
    ),
    "snapshot fills a tablespace meanwhile": (
        pair(empty("smdw", {**JOB, "snapshot.phase": "copying", "directories": [LEFTOVER]}), with_tablespace()),
        {},
        {"snapshot": True, "existing_data": "none"},
    ),
    "resumed snapshot whose mapping has changed": (
        pair(empty("smdw", {**JOB, "snapshot.phase": "done", "directories": [{**LEFTOVER, "path": "/ts2"}]})),
        {},
        {"existing_data": "none"},
    ),
    "tablespace leftovers of our own dead job": (
        pair(empty("smdw", {**JOB, "directories": [LEFTOVER]}), with_tablespace()),
        {},
        {"snapshot": True, "existing_data": "none"},
    ),
    "half copy of a dead job makes room": (
        pair(empty("smdw", {**JOB, "snapshot.reclaimable_bytes": 2 * GIGABYTE, "data_directory.free_bytes": GIGABYTE})),
        {},
        {"snapshot": True},
    ),
    "tablespace leftovers, keep": (
        pair(empty("smdw", {"directories": [LEFTOVER]}), with_tablespace()),
        KEEP,
        {"existing_data": "keep", "tablespaces": ["/ts"]},
    ),
    "tablespace mapped elsewhere": (
        pair(empty("smdw", {"directories": [{**LEFTOVER, "path": "/ts2", "entries": []}]}), with_tablespace()),
        {"tablespace_mapping": {"/ts": "/ts2"}},
        {"tablespaces": ["/ts2"]},
    ),
    "discard makes room": (
        pair(stopped("smdw", {"data_directory.free_bytes": GIGABYTE})),
        DISCARD,
        {"existing_data": "discard", "make_room": True},
    ),
    "discard beside enough room": (pair(stopped()), DISCARD, {"existing_data": "discard", "make_room": False}),
    "keep beside enough room": (pair(stopped()), KEEP, {"make_room": False}),
    "retention limit set": (pair(empty()), {}, {"settings": {"max_slot_wal_keep_size": "10240MB"}}),
    "retention limit of the operator's": (
        pair(empty(), master("mdw", set_to(max_slot_wal_keep_size="77"))),
        {},
        {"settings": {}},
    ),
    "wal_level, restart allowed": (
        pair(empty(), master("mdw", set_to(wal_level="minimal"))),
        RESTART,
        {"restart_settings": {"wal_level": "replica"}},
    ),
    "no checksums, but hints": (
        pair(empty(), master("mdw", set_to(data_checksums="off", wal_log_hints="on"))),
        {},
        {"restart_settings": {}},
    ),
    "no checksums, restart allowed": (
        pair(empty(), master("mdw", set_to(data_checksums="off"))),
        RESTART,
        {"restart_settings": {"wal_log_hints": "on"}},
    ),
    "no senders, restart allowed": (
        pair(empty(), master("mdw", set_to(max_wal_senders="0"))),
        RESTART,
        {"restart_settings": {"max_wal_senders": "10"}},
    ),
    "no slots, restart allowed": (
        pair(empty(), master("mdw", set_to(max_replication_slots="0"))),
        RESTART,
        {"restart_settings": {"max_replication_slots": "10"}},
    ),
    "all slots used, one of them ours": (
        pair(standby(), mirrored("mdw", set_to(max_replication_slots="1"))),
        {},
        {"restart_settings": {}},
    ),
    "all senders used, one of them ours": (
        pair(standby(), mirrored("mdw", set_to(max_wal_senders="1"))),
        {},
        {"restart_settings": {}},
    ),
    "listens on itself, restart allowed": (
        pair(
            empty("smdw", {"probes": {"mdw": probe("smdw", "mdw", open=False, answers=False, error="refused")}}),
            master("mdw", set_to(listen_addresses="localhost")),
        ),
        RESTART,
        {"restart_settings": {"listen_addresses": "*"}, "standby_settings": {}},
    ),
    "listens on its address": (
        pair(empty(), master("mdw", set_to(listen_addresses="localhost, 10.9.0.2"))),
        {},
        {"restart_settings": {}, "standby_settings": {"listen_addresses": "localhost,smdw"}},
    ),
    "other port": (
        pair(empty(), master("mdw", set_to(port="5433"))),
        {},
        {"standby_settings": {"port": "5432"}},
    ),
    "HBA lines for exactly the two": (
        three(),
        {"standby_host": "smdw"},
        {
            "hba_lines": [
                "host replication hawq_mirroring 10.9.0.2/32 scram-sha-256",
                "host replication hawq_mirroring 10.9.0.3/32 scram-sha-256",
            ]
        },
    ),
    "IPv6": (
        pair(empty("smdw", {"probes.mdw.sources": ["fd00::3"]}), master("mdw", {"probes.smdw.sources": ["fd00::2"]})),
        {},
        {
            "hba_lines": [
                "host replication hawq_mirroring fd00::2/128 scram-sha-256",
                "host replication hawq_mirroring fd00::3/128 scram-sha-256",
            ]
        },
    ),
    "SSH keys are there": (pair(empty()), {}, {"ssh_keys": False}),
    "SSH keys: not let in": (pair(empty("smdw", {"ssh.authorized": []})), {}, {"ssh_keys": True}),
    "SSH keys: no key": (pair(empty("smdw", {"ssh.public_key": None})), {}, {"ssh_keys": True}),
    "SSH keys: there, and the login was refused": (
        pair(empty("smdw", {"asks": {"mdw": {"server": None, "host": "Permission denied (publickey)"}}})),
        {},
        {"ssh_keys": True},
    ),
    "SSH keys: there, and answered": (
        pair(empty("smdw", {"asks": {"mdw": {"server": None, "host": "answered"}}})),
        {},
        {"ssh_keys": False},
    ),
    "SSH keys: there, and nobody could ask yet": (
        pair(empty("smdw", {"programs": {"interlock": {"program": None}}})),
        {},
        {"ssh_keys": True},
    ),
    "SSH keys: there, and another host did not answer": (
        pair(empty("smdw", {"asks": {"sdw9": {"server": None, "host": "timed out"}}})),
        {},
        {"ssh_keys": False},
    ),
    "SSH keys: host not known": (pair(empty(), master("mdw", {"ssh.known": []})), {}, {"ssh_keys": True}),
    "configuration outside, not there yet": (
        pair(empty("smdw", {"configuration.outside": True})),
        {},
        {"configuration": True},
    ),
    "configuration outside, there": (
        pair(empty("smdw", {"configuration.outside": True, "configuration.exists": True})),
        {},
        {"configuration": False},
    ),
    "views in further databases": (
        pair(empty()),
        {"view_databases": ["app"]},
        {"view_databases": ["postgres", "template1", "app"]},
    ),
    "binaries not there yet": (
        pair(empty("smdw", {"binaries.major": None, "binaries.missing": ["postgres"]})),
        {},
        {"snapshot": True},
    ),
}
FENCED = {"data_directory.fenced": True, "follows_slot": "hawq_mirroring_smdw"}
PLANS["A12: what is newer than the master's is moved aside"] = (
    pair(stopped("smdw", NEWER)),
    KEEP,
    {"snapshot": True, "existing_data": "keep"},
)
PLANS["A12: what is newer than the master's is given up"] = (
    pair(stopped("smdw", NEWER)),
    {**DISCARD, "accept_data_loss": True},
    {"snapshot": True, "existing_data": "discard"},
)
PLANS["a standby that has less than its master"] = (
    pair(standby(), mirrored("mdw", set_to(max_connections="200"))),
    {},
    {"snapshot": False, "recovery_settings": {"max_connections": "200"}},
)
PLANS["fenced former master, keep"] = (
    pair(stopped("smdw", {**FENCED, "data_directory.marked_standby": True})),
    KEEP,
    {"snapshot": True, "existing_data": "keep"},
)
PLANS["fenced former master that was booted and stopped, keep"] = (
    pair(stopped_standby("smdw", FENCED)),
    KEEP,
    {"snapshot": True, "existing_data": "keep"},
)
REFUSALS: dict[str, tuple[Hosts, Options, Refusals]] = {
    "A12: newer than the master": (
        pair(stopped("smdw", NEWER)),
        {},
        [("smdw is on timeline 2, which left timeline 1 at 0/3017F88", "systemctl start hawq-master.service on smdw")],
    ),
    "A12: newer than the master, discard": (
        pair(stopped("smdw", NEWER)),
        DISCARD,
        [("smdw is on timeline 2, which left timeline 1", "hawq.mirroring.resync_standby -e accept_data_loss=true")],
    ),
    "A12: newer than the master, and it runs": (
        pair(standby("smdw", {**NEWER, "server.timeline": 2})),
        KEEP,
        [("smdw is on timeline 2, which left timeline 1", "ansible-playbook hawq.mirroring.failover")],
    ),
    "79: its master was set back": (
        pair(
            stopped_standby("smdw", {"control.min_recovery_lsn": "0/9000000"}), mirrored("mdw", {"server.senders": []})
        ),
        {},
        [
            (
                "smdw holds WAL of timeline 1 up to 0/9000000, and the master mdw has it up to 0/3017F88 only",
                "-e resync_route",
            )
        ],
    ),
    "fenced former master": (
        pair(stopped_standby("smdw", FENCED)),
        {},
        [(f"{DATA} on smdw holds a standby whose server is stopped", "-e existing_data=keep")],
    ),
    "fenced former master that was booted": (
        pair(standby("smdw", FENCED)),
        KEEP,
        [(f"{DATA} on smdw is in use by a running standby", "resync_standby -e standby_host=smdw. Or stop it there")],
    ),
    "all empty": (
        {"mdw": empty("mdw"), "smdw": empty()},
        {},
        [
            (
                "smdw: without a data directory",
                "ansible-playbook hawq.mirroring.init_master",
            )
        ],
    ),
    "master stopped": (
        {"mdw": stopped("mdw"), "smdw": standby()},
        {},
        [("mdw: the data of a master whose server is stopped (shut down, timeline 1)", "systemctl start hawq-master")],
    ),
    "master crashed": (
        {"mdw": stopped("mdw", {"control": control("in production", timeline=3)}), "smdw": empty()},
        {},
        [("(not shut down cleanly, timeline 3)", "systemctl start hawq-master.service")],
    ),
    "master unreachable": (
        {"mdw": unreachable(), "smdw": standby()},
        {},
        [
            (
                "mdw: not reachable by SSH (Connection timed out); smdw: a running standby",
                "If mdw is the master, bring it up",
            )
        ],
    ),
    "master frozen": (
        {"mdw": frozen(mirrored()), "smdw": standby()},
        {},
        [("mdw: a frozen server process", "kill -CONT 103 $(pgrep -P 103)")],
    ),
    "master without psycopg2": (
        {"mdw": silent("mdw", {"server_error": "Python's psycopg2 is missing on this host"}), "smdw": empty()},
        {},
        [
            (
                "mdw: a server process that gives no session (Python's psycopg2 is missing",
                "look there at what keeps sessions out",
            )
        ],
    ),
    "master gone, files there": (
        {"mdw": empty("mdw", FILES), "smdw": empty()},
        {},
        [("mdw: a directory with files that are not a server's", "Bring the master up")],
    ),
    "two masters": (
        pair(master("smdw")),
        {},
        [("mdw and smdw both accept writes", "To keep smdw: systemctl stop hawq-master.service on mdw, then")],
    ),
    "two masters, discard": (pair(master("smdw")), DISCARD, [("both accept writes", "To keep mdw: systemctl stop")]),
    "three hosts without standby_host": (
        three(),
        {},
        [("2 hosts beside the master (smdw, sdw1)", "-e standby_host=smdw or -e standby_host=sdw1")],
    ),
    "no other host": ({"mdw": master()}, {}, [("no host beside the master mdw", "inventory's group masters")]),
    "standby_host is the master": (pair(empty()), {"standby_host": "mdw"}, [("mdw is the master", "-e standby_host=")]),
    "unknown standby_host": (
        pair(empty()),
        {"standby_host": "smwd"},
        [
            (
                "smwd is not in the inventory's group masters (mdw, smdw)",
                "correct the name, or leave it out: -e standby_host=",
            )
        ],
    ),
    "other standby registered": (
        three(mdw=mirrored(), smdw=standby()),
        {"standby_host": "sdw1"},
        [("already has the standby smdw", "To repair smdw: the same without -e standby_host=")],
    ),
    "other standby registered, which options there are": (
        three(mdw=mirrored(), smdw=standby()),
        {"standby_host": "sdw1"},
        [("already has the standby smdw", "-e additional_standby=true; instead of it: -e replace_standby=true")],
    ),
    "a further standby, and none is named": (
        three(mdw=mirrored(), smdw=standby()),
        {"additional_standby": True},
        [("no host is named", "-e standby_host=smdw or -e standby_host=sdw1")],
    ),
    "both options at once": (
        three(mdw=mirrored(), smdw=standby()),
        {"standby_host": "sdw1", "additional_standby": True, "replace_standby": True},
        [("both replace_standby and additional_standby are given", "Give one of the two")],
    ),
    "two standbys that are not in order": (
        three(
            mdw=mirrored("mdw", {"server.standbys": ["sdw1", "smdw"], "server.senders": []}),
            smdw=stopped_standby(),
            sdw1=stopped_standby("sdw1"),
        ),
        {},
        [("2 hosts beside the master (smdw, sdw1)", "-e standby_host=smdw or -e standby_host=sdw1")],
    ),
    "registered standby is not in the inventory": (
        pair(empty(), change(mirrored(), {"server": OTHER_STANDBY})),
        {},
        [("already has the standby sdw1", "Add sdw1 to the inventory's group masters")],
    ),
    "unreachable standby": (
        pair(unreachable()),
        {},
        [("smdw is not reachable by SSH (Connection timed out)", "ssh smdw true")],
    ),
    "running standby, lost slot": (
        pair(standby(), mirrored("mdw", LOST)),
        {},
        [("slot hawq_mirroring_smdw is lost", "systemctl stop hawq-master.service")],
    ),
    "running standby, lost slot, discard": (
        pair(standby(), mirrored("mdw", LOST)),
        DISCARD,
        [("slot hawq_mirroring_smdw is lost", "systemctl stop hawq-master.service")],
    ),
    "stopped standby, lost slot": (
        pair(stopped_standby(), mirrored("mdw", LOST)),
        {},
        [
            (
                "slot hawq_mirroring_smdw is lost",
                "To move it aside: -e existing_data=keep. To delete it: -e existing_data=discard",
            )
        ],
    ),
    "former master": (
        pair(stopped()),
        {},
        [(f"{DATA} on smdw holds the data of a master whose server is stopped", "existing_data=keep")],
    ),
    "standby of ours, of another slot": (
        pair(stopped_standby("smdw", {"follows_slot": "by_hand"})),
        {},
        [("holds a standby whose server is stopped", "existing_data=keep")],
    ),
    "somebody else's directory above its data": (
        pair(empty("smdw", {"data_directory.no_room": "/data/hawq: it belongs to bob"})),
        {},
        [("a copy cannot be made in /data/hawq on smdw", "install -d -o gpadmin -m 0700 /data/hawq")],
    ),
    "a file that nobody may change": (
        pair(stopped_standby("smdw", {"data_directory.unchangeable": "/data/hawq/master/PG_VERSION"})),
        {"existing_data": "discard"},
        [("/data/hawq/master/PG_VERSION on smdw is marked", "chattr -i -a /data/hawq/master/PG_VERSION")],
    ),
    "the master's access file is to be written, and may not": (
        pair(empty("smdw"), master("mdw", {"blocks.unchangeable": "/data/hawq/master/pg_hba.conf"})),
        {},
        [("/data/hawq/master/pg_hba.conf on mdw is marked", "on mdw: chattr -i -a /data/hawq/master/pg_hba.conf")],
    ),
    "the standby's own is elsewhere, and is to be written": (
        pair(empty("smdw", {"configuration.outside": True, "blocks.unchangeable": "/etc/pg/main"})),
        {},
        [("/etc/pg/main on smdw is marked", "on smdw: chattr -i -a /etc/pg/main")],
    ),
    "whom the user lets in by SSH": (
        pair(empty("smdw", {"ssh.authorized": [], "ssh.unchangeable": "/home/gpadmin/.ssh/authorized_keys"})),
        {},
        [("/home/gpadmin/.ssh/authorized_keys on smdw is marked", "on smdw: chattr -i -a /home/gpadmin/.ssh/auth")],
    ),
    "the master takes no settings": (
        pair(empty("smdw"), master("mdw", {"data_directory.unchangeable": "/data/hawq/master/postgresql.auto.conf"})),
        {},
        [("postgresql.auto.conf on mdw is marked", "on mdw: chattr -i -a /data/hawq/master/postgresql.auto.conf")],
    ),
    "no room for its configuration": (
        pair(empty("smdw", {"configuration.path": "/etc/pg/main", "configuration.no_room": "it belongs to bob"})),
        {},
        [("a configuration cannot be made in /etc/pg/main on smdw", "install -d -o gpadmin -m 0755 /etc/pg/main")],
    ),
    "foreign data": (
        pair(stopped("smdw", {"control.system_identifier": FOREIGN})),
        {},
        [("smdw holds the data of a master", "To delete it: -e existing_data=discard")],
    ),
    "foreign data under our own slot's name": (
        pair(stopped_standby("smdw", {"control.system_identifier": FOREIGN}), mirrored()),
        {},
        [("smdw holds a standby whose server is stopped", "existing_data=keep")],
    ),
    "data without a readable control file": (
        pair(stopped("smdw", {"control": None})),
        {},
        [("smdw holds the data of a master", "existing_data=keep")],
    ),
    "other files": (
        pair(empty("smdw", FILES)),
        {},
        [("smdw holds a directory with files that are not a server's", "existing_data=keep")],
    ),
    "data appeared beside a finished snapshot": (
        pair(stopped("smdw", {**JOB, "snapshot.phase": "done"})),
        {},
        [("smdw holds the data of a master", "existing_data=keep")],
    ),
    "silent server": (pair(silent()), {}, [("is in use by a server process that gives no session", "systemctl stop")]),
    "frozen server": (
        pair(frozen(master("smdw"))),
        {},
        [("is in use by a frozen server process", "systemctl stop hawq-master.service")],
    ),
    "frozen standby of ours": (
        pair(frozen(standby()), mirrored()),
        {},
        [("the standby on smdw is a frozen server process", "kill -CONT 104 $(pgrep -P 104)")],
    ),
    "same machine": (
        pair(empty("smdw", {"machine": master()["machine"]})),
        DISCARD,
        [("smdw and mdw are the same machine (mdw)", "-e standby_host=")],
    ),
    "shared directory": (
        pair(stopped("smdw", {"process.pidfile": master()["process"]["pidfile"]})),
        DISCARD,
        [("has the postmaster.pid of the live master on mdw", "directory of its own")],
    ),
    "architecture": (
        pair(empty("smdw", {"machine.architecture": "aarch64"})),
        {},
        [("smdw is aarch64, the master is x86_64", "Use a host of the master's architecture")],
    ),
    "major version": (
        pair(empty("smdw", {"binaries.major": 18, "binaries.named": True})),
        {},
        [("holds major version 18, the master runs 15", "binaries_version=15")],
    ),
    "unknown major version": (
        pair(empty("smdw", {"binaries.major": 14}), master("mdw", set_to(server_version_num="140010"))),
        {},
        [("the master runs PostgreSQL 14", "Upgrade the master")],
    ),
    "installed binaries are missing": (
        pair(empty("smdw", {"binaries.major": None, "binaries.missing": ["postgres", "psql"]})),
        {"binaries_method": "installed"},
        [("lacks postgres, psql", "binaries_method=packages")],
    ),
    "one installed program is missing": (
        pair(empty("smdw", {"binaries.missing": ["pg_verifybackup"]})),
        {"binaries_method": "installed"},
        [("lacks pg_verifybackup", "binaries_method=packages")],
    ),
    "master cannot be reached from the standby": (
        pair(empty("smdw", {"probes.mdw.open": False, "probes.mdw.error": "No route to host"})),
        {},
        [("smdw cannot open mdw:5432 (No route to host)", "Open the way")],
    ),
    "another unit runs the master's server": (
        {"mdw": master("mdw", {"run_by": "postgresql@15-main.service"}), "smdw": empty("smdw")},
        {},
        [("the server on mdw is run by postgresql@15-main.service", "server_service=postgresql@15-main.service")],
    ),
    "the standby's unit runs no server": (
        pair(empty("smdw", {"service.type": "oneshot"})),
        {},
        [("hawq-master.service on smdw runs no server itself", "Set server_service for smdw")],
    ),
    "port taken": (pair(empty("smdw", {"listening": True})), {}, [("port 5432 on smdw is taken", "server_port")]),
    "standby's own configuration asks for less": (
        pair(empty("smdw", {"configuration.outside": True, "configuration.at_least": {"max_connections": "50"}})),
        {},
        [
            (
                "sets max_connections = 50, the master has 100",
                "On smdw: echo 'max_connections = 100' >> /data/hawq/master/postgresql.conf",
            )
        ],
    ),
    "its file system is read-only": (
        pair(empty("smdw", {"data_directory.read_only": "/data/hawq/master"})),
        {},
        [
            (
                "the file system of /data/hawq/master on smdw is mounted read-only",
                "remount,rw $(findmnt -nT /data/hawq/master",
            )
        ],
    ),
    "its file system is not mounted": (
        pair(empty("smdw", {"data_directory.unmounted": "/data"})),
        {},
        [
            (
                "nothing is mounted at /data on smdw, where the file system of /data/hawq/master belongs",
                "Mount it (mount /data on smdw), then run this again",
            )
        ],
    ),
    "mount point": (
        pair(empty("smdw", {"data_directory.mount_point": True, "data_directory.state": "empty"})),
        DISCARD,
        [("is itself a mount point", f"data_directory_path={DATA}/master")],
    ),
    "disk too small": (
        pair(empty("smdw", {"data_directory.free_bytes": 2 * GIGABYTE})),
        {},
        [("smdw has 2.0 GB free for a copy of 2.3 GB", "Make room there")],
    ),
    "its quota too small": (
        pair(empty("smdw", {"data_directory.free_bytes": 2 * GIGABYTE, "data_directory.quota": True})),
        {},
        [("of 2.3 GB: a quota of gpadmin leaves less than the disk has", "(on smdw: edquota -u gpadmin)")],
    ),
    "disk too small for both, keep": (
        pair(stopped("smdw", {"data_directory.free_bytes": GIGABYTE})),
        KEEP,
        [("smdw has 1.0 GB free", "-e existing_data=discard")],
    ),
    "disk too small although discarded": (
        pair(stopped("smdw", {"data_directory.free_bytes": 1, "data_directory.reclaimable_bytes": GIGABYTE})),
        DISCARD,
        [("smdw has 1.0 GB free for a copy of 2.3 GB", "data_directory_path")],
    ),
    "tablespace's disk too small": (
        pair(
            empty("smdw", {"directories": [{**LEFTOVER, "entries": [], "device": 2, "free_bytes": 1048576}]}),
            with_tablespace(),
        ),
        {},
        [("smdw has 1 MB free for a copy of 1.0 GB", "Make room there")],
    ),
    "tablespace leftovers": (
        pair(empty("smdw", {"directories": [LEFTOVER]}), with_tablespace()),
        {},
        [("/ts on smdw, where a tablespace of the master goes, holds PG_15_202209061", "existing_data=keep")],
    ),
    "snapshot of another system is no excuse": (
        pair(
            empty("smdw", {**FOREIGN_JOB, "snapshot.phase": "done", "directories": [LEFTOVER]}),
            with_tablespace(),
        ),
        {},
        [("/ts on smdw", "existing_data=keep")],
    ),
    "wal_level": (
        pair(empty(), master("mdw", set_to(wal_level="minimal"))),
        {},
        [("needs wal_level = replica (now minimal)", "-e master_restart_allowed=true")],
    ),
    "no checksums and no hints": (
        pair(empty(), master("mdw", set_to(data_checksums="off"))),
        {},
        [("needs wal_log_hints = on (now off)", "ALTER SYSTEM SET wal_log_hints = 'on'")],
    ),
    "no sender free": (
        pair(empty(), master("mdw", {**set_to(max_wal_senders="2"), "server.senders": [sender(7, "other")]})),
        {},
        [("max_wal_senders = 11 (now 2)", "systemctl restart hawq-master.service")],
    ),
    "no slot free": (
        pair(empty(), master("mdw", {**set_to(max_replication_slots="1"), "server.slots": [slot("other")]})),
        {},
        [("max_replication_slots = 11 (now 1)", "-e master_restart_allowed=true")],
    ),
    "listens on itself": (
        pair(empty(), master("mdw", set_to(listen_addresses=""))),
        {},
        [("listen_addresses = * (now empty)", "ALTER SYSTEM SET listen_addresses = '*'")],
    ),
    "retention limit larger than the disk": (
        pair(empty(), master("mdw", {"data_directory.wal_free_bytes": 10 * GIGABYTE})),
        {},
        [("mdw has 10.0 GB free for WAL, master_wal_keep_megabytes is 10240", "less than 10240")],
    ),
    "unknown database for the views": (
        pair(empty()),
        {"view_databases": ["app", "apq"]},
        [("the master has no database apq", "Correct master_view_databases")],
    ),
    "everything at once": (
        pair(
            stopped("smdw", {"machine.architecture": "aarch64", "control.system_identifier": FOREIGN}),
            master("mdw", {**set_to(wal_level="minimal"), "data_directory.wal_free_bytes": 1}),
        ),
        {"view_databases": ["apq"]},
        [
            ("smdw holds the data", "existing_data"),
            ("smdw is aarch64", "architecture"),
            ("wal_level", "master_restart_allowed"),
            ("no database apq", "master_view_databases"),
            ("free for WAL", "master_wal_keep_megabytes"),
        ],
    ),
}
#: what has drifted on a mirrored pair, where, and which parts of the plan mend it
DRIFTS: dict[str, tuple[str, dict[str, t.Any], set[str]]] = {
    "password file open to others": ("smdw", {"credentials.private": False}, {"passwords", "source"}),
    "password of one server missing": ("mdw", {"credentials.servers": [["mdw", "5432"]]}, {"passwords", "source"}),
    "two passwords": ("smdw", {"credentials.consistent": False}, {"passwords", "source"}),
    "role with another password": ("mdw", {"credentials.accepted": False}, {"passwords", "source"}),
    "standby not let in": ("smdw", {"credentials.login": "password authentication failed"}, {"passwords", "source"}),
    "standby's server not to be asked": ("smdw", {"credentials.login": None}, {"passwords", "source"}),
    "lines of the master gone": ("mdw", {"blocks.access": None}, {"source", "hba mdw"}),
    "lines of the standby changed": ("smdw", {"blocks.access": ["host all all all trust"]}, {"hba smdw"}),
    "lines of the master not loaded": ("mdw", {"server.access_stale": True}, {"source"}),
    "slot gone": ("mdw", {"server.slots": []}, {"source"}),
    "registration gone": ("mdw", {"server.standbys": []}, {"source"}),
    "registered as its own standby": ("mdw", {"server.standbys": ["mdw", "smdw"]}, {"source"}),
    "no retention limit": ("mdw", {"server.settings.kept_wal_limit_bytes": None}, {"source"}),
}


@pytest.mark.parametrize(("host", "overrides", "expected"), DRIFTS.values(), ids=DRIFTS)
def test_drift_is_mended_and_nothing_else(host: str, overrides: dict[str, t.Any], expected: set[str]) -> None:
    hosts = pair(standby(), mirrored())
    verdict = judged({**hosts, host: change(hosts[host], overrides)}, {})
    assert verdict.refusals == []
    steps = verdict.plan["steps"]
    parts = {name for name in ("passwords", "source", "snapshot") if steps[name]}
    assert parts | {f"hba {name}" for name in steps["let_in"]} == expected


HOLDER = {"address": "192.0.2.10/24", "here": True}
HELD = {"virtual_ip": HOLDER, "programs": {"virtual-ip": {"active": True}}}
#: what is not as it should be, where, and which phases somebody has a part in
PHASES: dict[str, tuple[str, dict[str, t.Any], dict[str, list[str]]]] = {
    "all in order": ("smdw", {}, {}),
    "the address is where it should be": ("mdw", HELD, {}),
    "slot gone": ("mdw", {"server.slots": []}, {"equip": ["mdw"]}),
    "lines of the standby changed": ("smdw", {"blocks.access": []}, {"transfer": ["smdw"]}),
    "left by an earlier copy": ("smdw", {"snapshot.phase": "failed"}, {"transfer": ["smdw"]}),
    "server stopped": ("smdw", {"service.active": "inactive"}, {"bring_up": ["smdw"]}),
    "not enabled": ("smdw", {"service.enabled": "disabled"}, {"bring_up": ["smdw"]}),
    "address gone": (
        "mdw",
        {**HELD, "virtual_ip": {**HOLDER, "here": False}},
        {"bring_up": ["mdw"], "clients": ["mdw"]},
    ),
    "nobody holds it": (
        "mdw",
        {**HELD, "programs": {"virtual-ip": {"active": False}}},
        {"bring_up": ["mdw"], "clients": ["mdw"]},
    ),
    "its program is not there": ("mdw", {**HELD, "programs": {}}, {"bring_up": ["mdw"], "clients": ["mdw"]}),
    "the standby has it": ("smdw", HELD, {"bring_up": ["smdw"], "clients": ["smdw"]}),
}


@pytest.mark.parametrize(("host", "overrides", "expected"), PHASES.values(), ids=PHASES)
def test_what_is_in_order_is_passed_over_as_a_whole(
    host: str, overrides: dict[str, t.Any], expected: dict[str, list[str]]
) -> None:
    hosts = pair(standby(), mirrored())
    verdict = judged({**hosts, host: change(hosts[host], overrides)}, {})
    assert verdict.refusals == []
    found = phases.of(verdict.plan["steps"])
    del found["others"]  # of a takeover
    assert {name: named for name, named in found.items() if named} == expected


@pytest.mark.parametrize(("hosts", "options", "expected"), PLANS.values(), ids=PLANS)
def test_init_standby_goes_on(hosts: Hosts, options: Options, expected: dict[str, t.Any]) -> None:
    verdict = judged(hosts, options)
    assert [refusal.sentence() for refusal in verdict.refusals] == []
    assert shown(verdict.plan, expected) == expected
    assert verdict.plan["existing_data"] in ("none", "keep", "discard")


@pytest.mark.parametrize(("hosts", "options", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_init_standby_refuses(hosts: Hosts, options: Options, expected: Refusals) -> None:
    refusals = judged(hosts, options).refusals
    assert len(refusals) == len(expected), [refusal.sentence() for refusal in refusals]
    for refusal, (found, command) in zip(refusals, expected):
        assert found in refusal.found
        assert command in refusal.command
        assert refusal.why


SICK = {
    "a master": master("smdw"),
    "a running standby": standby(),
    "a running foreign standby": standby("smdw", {"server.system_identifier": FOREIGN}),
    "a running foreign master": master("smdw", {"server.system_identifier": FOREIGN}),
    "a silent server": silent(),
    "a silent foreign server": silent("smdw", {"control.system_identifier": FOREIGN}),
    "a frozen standby": frozen(standby()),
    "a frozen master": frozen(master("smdw")),
}


@pytest.mark.parametrize("choice", ["refuse", "keep", "discard"])
@pytest.mark.parametrize("lost", [False, True], ids=["slot reserved", "slot lost"])
@pytest.mark.parametrize("seen", SICK.values(), ids=SICK)
def test_a_directory_under_a_running_server_is_never_replaced(seen: Observation, lost: bool, choice: str) -> None:
    """Over every kind of running server, state of the slot and choice."""
    verdict = judged(pair(seen, mirrored("mdw", LOST if lost else None)), {"existing_data": choice})
    if not verdict.refusals:
        assert (verdict.plan["snapshot"], verdict.plan["existing_data"]) == (False, "none")
        assert verdict.plan["make_room"] is False


DATA_KINDS = {
    "former master": stopped(),
    "stopped standby": stopped_standby(),
    "foreign": stopped("smdw", {"control.system_identifier": FOREIGN}),
    "control file unreadable": stopped("smdw", {"control": None}),
    "other files": empty("smdw", FILES),
}


@pytest.mark.parametrize("phase", ["none", "copying", "verifying", "done", "failed"])
@pytest.mark.parametrize("lost", [False, True], ids=["slot reserved", "slot lost"])
@pytest.mark.parametrize("seen", DATA_KINDS.values(), ids=DATA_KINDS)
def test_data_is_never_replaced_without_being_told(seen: Observation, lost: bool, phase: str) -> None:
    """Over every kind of data, state of the slot and phase of a snapshot job."""
    hosts = pair(change(seen, {**JOB, "snapshot.phase": phase}), mirrored("mdw", LOST if lost else None))
    verdict = judged(hosts, {})
    assert verdict.refusals or (verdict.plan["snapshot"], verdict.plan["existing_data"]) == (False, "none")


@pytest.mark.parametrize("first", EVERY_KIND)
@pytest.mark.parametrize("second", EVERY_KIND)
def test_every_pair_of_kinds_is_judged(first: str, second: str) -> None:
    """No pair makes the judgement stumble; without exactly one master nothing goes on."""
    hosts = {"mdw": EVERY_KIND[first]("mdw"), "smdw": EVERY_KIND[second]("smdw")}
    assert [topology.kind(seen) for seen in hosts.values()] == [kind.removeprefix("mute ") for kind in (first, second)]
    for choice in ("refuse", "keep", "discard"):
        verdict = judged(hosts, {"existing_data": choice})
        if [first, second].count("master") != 1:
            assert verdict.refusals
        assert all(refusal.found and refusal.why and refusal.command for refusal in verdict.refusals)


@pytest.mark.parametrize("hosts", TWO_MASTERS.values(), ids=TWO_MASTERS)
def test_nothing_is_made_beside_two_masters_whoever_is_named(hosts: Hosts) -> None:
    for chosen in (None, *hosts):
        assert judged(hosts, {"standby_host": chosen}).refusals


def test_restart_command_runs_each_statement_by_itself() -> None:
    """ALTER SYSTEM cannot run inside the transaction that several statements of one -c make."""
    source = master("mdw", set_to(wal_level="minimal", data_checksums="off"))
    (refusal,) = judged(pair(empty(), source), {}).refusals
    assert (
        "psql -h /var/run/postgresql -p 5432 -d postgres -c \"ALTER SYSTEM SET wal_level = 'replica'\""
        " -c \"ALTER SYSTEM SET wal_log_hints = 'on'\"." in refusal.command
    )


def test_a_removed_standby_is_not_taken_back_without_a_copy() -> None:
    removed = stopped_standby("smdw", REMOVED)
    assert init_standby.needs_snapshot(removed, master(), "hawq_mirroring_smdw", "keep")
