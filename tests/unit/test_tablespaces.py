# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is judged of the places of tablespaces: for a copy, before a start, before a failover, in the state."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import tablespaces
from cases import failover, removal, resync, state
from observations import (
    CLOSED,
    VERSION,
    Observation,
    crashed,
    directory,
    empty,
    master,
    mirrored,
    space,
    standby,
    stopped_standby,
    to_come,
    unreachable,
)
from test_init_standby import judged as init
from test_switchover import judge as swap

ON_MASTER = {"server.tablespaces": [{"name": "ts", "location": "/srv/ts"}], "tablespaces": [space("/srv/ts")]}
DISCARD = {"existing_data": "discard"}
ELSEWHERE = '-e \'{"standby_snapshot_tablespace_mapping": {"/srv/ts": "/srv/ts.standby"}}\''
MAKE = "install -d -o gpadmin -m 0700 /srv/ts"
#: what is where a tablespace goes, options; words of the refusal and of its command
COPIES: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], tuple[str, str] | None]] = {
    "missing, and the user or root makes it": ({"there": "nothing"}, {}, None),
    "its own place, empty": ({}, {}, None),
    "missing where root makes none": (
        {"there": "nothing", "only_named": True},
        {},
        ("root makes none at the top or in a place of the system's", f"On smdw: {MAKE}, then run this again"),
    ),
    "missing there, and the operator has named it": (
        {"there": "nothing", "only_named": True},
        {"tablespace_mapping": {"/srv/ts": "/srv/ts"}},
        None,
    ),
    "somebody else's": (
        {"trouble": "it belongs to root"},
        {},
        ("goes: it belongs to root", "On smdw: chown -h gpadmin /srv/ts"),
    ),
    "root's and empty": ({"only_named": True}, {}, ("it belongs to root", "On smdw: chown -h gpadmin /srv/ts")),
    "a directory above it is closed": (
        {"there": "nothing", "trouble": "/srv above it lets gpadmin not in", "closed": "/srv"},
        {},
        ("/srv above it lets gpadmin not in", "On smdw: chmod o+x /srv, then run this again"),
    ),
    "a link that leads nowhere": (
        {"there": "other", "trouble": "it is a link that leads nowhere"},
        {},
        ("leads nowhere", f"On smdw: mv /srv/ts /srv/ts.away && {MAKE}"),
    ),
    "its file system is not mounted": (
        {"unmounted": "/srv"},
        {"existing_data": "discard"},
        ("nothing is mounted at /srv", "On smdw: mount /srv"),
    ),
    "another version's cluster (81)": (
        {"entries": ["PG_13_202007201"], "versions": ["PG_13_202007201"]},
        {"existing_data": "discard"},
        ("belongs to another cluster (PG_13_202007201)", ELSEWHERE),
    ),
    "another version's cluster beside ours, told to keep": (
        {"entries": ["PG_13_202007201", VERSION], "versions": ["PG_13_202007201", VERSION]},
        {"existing_data": "keep"},
        ("belongs to another cluster (PG_13_202007201)", ELSEWHERE),
    ),
    "another cluster of the same version": (
        {"entries": [VERSION], "versions": [VERSION], "used_by": ["/data/second"]},
        {"existing_data": "discard"},
        ("files of the server in /data/second", ELSEWHERE),
    ),
    "left by an earlier standby": ({"entries": [VERSION], "versions": [VERSION]}, {"existing_data": "discard"}, None),
    "used by the very data that is replaced": (
        {"entries": [VERSION], "versions": [VERSION], "used_by": ["/data/hawq/master"]},
        {"existing_data": "discard"},
        None,
    ),
}


@pytest.mark.parametrize(("place", "options", "words"), COPIES.values(), ids=COPIES)
def test_a_copy(place: dict[str, t.Any], options: dict[str, t.Any], words: tuple[str, str] | None) -> None:
    seen = empty("smdw", {"directories": [directory("/srv/ts", **{"free_bytes": 1 << 40, **place})]})
    sizes = [*master()["server"]["sizes"], {"name": "ts", "bytes": 1 << 20, "location": "/srv/ts"}]
    verdict = init({"mdw": master("mdw", {**ON_MASTER, "server.sizes": sizes}), "smdw": seen}, options)
    found = [row for row in verdict.refusals if row.kind.startswith("tablespace")]
    assert len(found) == (words is not None), found
    if words:
        assert words[0] in found[0].found
        assert words[1] in found[0].command
    else:
        assert verdict.plan["tablespace_version"] == VERSION


INSIDE = {
    "mounted_inside": ("mount-or-link", "/data/hawq/master/log", "umount /data/hawq/master/log on smdw"),
    "clusters_inside": ("holds-data", "/data/hawq/master/second", "move it to another place"),
}


@pytest.mark.parametrize("choice", ["keep", "discard"])
@pytest.mark.parametrize(("field", "expected"), INSIDE.items(), ids=INSIDE)
def test_what_others_have_inside_the_data_stays(field: str, expected: tuple[str, str, str], choice: str) -> None:
    kind, path, command = expected
    seen = stopped_standby("smdw", {f"data_directory.{field}": [path]})
    verdict = init({"mdw": master(), "smdw": seen}, {"existing_data": choice})
    (refusal,) = [row for row in verdict.refusals if row.kind == kind]
    assert path in refusal.found
    assert command in refusal.command
    removed = removal({"mdw": mirrored(), "smdw": standby("smdw", {f"data_directory.{field}": [path]})}, DISCARD)
    assert [row.kind for row in removed.refusals] == [kind]


def dead(*places: dict[str, t.Any], **overrides: t.Any) -> Observation:
    """Return a standby whose server has died of a tablespace."""
    return stopped_standby("smdw", {"tablespaces": list(places), "service.active": "failed", **overrides})


#: the standby; the directories that are made, or words of the refusal
STARTS: dict[str, tuple[Observation, list[str] | str]] = {
    "its WAL makes one (69)": (dead(to_come("/srv/ts")), ["/srv/ts"]),
    "it has yet to get that WAL": (dead(), ["/srv/ts"]),
    "it has it": (dead(space("/srv/ts")), []),
    "it has it elsewhere": (dead(space("/srv/mapped")), []),
    "made by hand meanwhile": (dead(to_come("/srv/ts", there="directory")), []),
    "where root makes none": (dead(to_come("/srv/ts", only_named=True)), f"On smdw: {MAKE}"),
    "made by hand, and root's": (
        dead(to_come("/srv/ts", there="directory", trouble="it belongs to root")),
        "On smdw: chown -h gpadmin /srv/ts",
    ),
    "its disk is not mounted": (dead(space("/srv/ts", there="nothing", unmounted="/srv")), "On smdw: mount /srv"),
    "it is not the user's any more": (
        dead(space("/srv/ts", trouble="it belongs to root")),
        "On smdw: chown -h gpadmin",
    ),
}


@pytest.mark.parametrize(("seen", "expected"), STARTS.values(), ids=STARTS)
def test_a_resynchronisation_makes_it_and_starts(seen: Observation, expected: list[str] | str) -> None:
    hosts = {"mdw": mirrored("mdw", ON_MASTER), "smdw": seen}
    verdict = resync(hosts, {})
    if isinstance(expected, str):
        assert [expected in row.command for row in verdict.refusals] == [True]
        return
    assert verdict.refusals == []
    assert (verdict.plan["route"], verdict.plan["new_tablespaces"]) == ("start", expected)
    assert verdict.plan["steps"]["settings"] == (["smdw"] if expected else [])


def test_files_that_are_gone_need_a_copy() -> None:
    hosts = {"mdw": mirrored("mdw", ON_MASTER), "smdw": dead(space("/srv/ts", there="nothing", entries=[]))}
    assert resync(hosts, {}).plan["route"] == "snapshot"


def test_a_rewind_deletes_nothing_of_another_cluster() -> None:
    source = master("mdw", ON_MASTER)
    for more in ({"foreign": True}, {"versions": ["PG_13_202007201", VERSION]}, {"used_by": ["/data/second"]}):
        assert tablespaces.shared(dead(space("/srv/ts", **more)), source) == "/srv/ts"
    assert tablespaces.shared(dead(space("/srv/ts", used_by=["/data/hawq/master"])), source) == ""


OLD: dict[str, tuple[Observation, dict[str, t.Any]]] = {
    "its disk can be read": (crashed({"tablespaces": [space("/srv/ts")]}), {}),
    "its host is dead": (unreachable(), {"master_is_down": True, "accept_data_loss": True}),
}


@pytest.mark.parametrize(("old", "options"), OLD.values(), ids=OLD)
def test_a_failover_starts_the_standby_before_it_fences(old: Observation, options: dict[str, t.Any]) -> None:
    verdict = failover({"mdw": old, "smdw": dead(to_come("/srv/ts"), **CLOSED)}, options)
    assert verdict.refusals == []
    assert verdict.plan["new_tablespaces"] == ["/srv/ts"]
    assert verdict.plan["steps"]["settings"] == ["smdw"]


def test_a_failover_is_refused_where_nothing_makes_it() -> None:
    verdict = failover({"mdw": crashed(), "smdw": dead(to_come("/srv/ts", only_named=True))}, {})
    assert [MAKE in row.command for row in verdict.refusals] == [True]


def test_a_tablespace_that_only_the_dead_masters_disk_has() -> None:
    verdict = failover({"mdw": crashed({"tablespaces": [space("/srv/ts")]}), "smdw": standby()}, {})
    assert (verdict.plan["new_tablespaces"], verdict.plan["steps"]["settings"]) == (["/srv/ts"], ["smdw"])


#: what is on the standby's host; words of the problem and of its command
STATES: dict[str, tuple[Observation, str, str]] = {
    "died of it": (dead(to_come("/srv/ts")), "goes that smdw has yet to replay: it is missing", "resync_standby"),
    "root makes none": (dead(to_come("/srv/ts", only_named=True)), "root makes none", f"on smdw: {MAKE}, then: "),
    "yet to get that": (dead(), "must be a directory on smdw before", "resync_standby"),
    "files gone": (standby("smdw", {"tablespaces": [space("/srv/ts", there="nothing")]}), "are gone", "resync_standby"),
    "not mounted": (
        standby("smdw", {"tablespaces": [space("/srv/ts", there="nothing", unmounted="/srv")]}),
        "nothing is mounted at /srv",
        "on smdw: mount /srv",
    ),
}


def findings(seen: Observation, kind: str) -> list[t.Any]:
    hosts = {"mdw": mirrored("mdw", ON_MASTER), "smdw": seen}
    return [row for row in state(hosts)["problems"] if row["kind"] == kind]


@pytest.mark.parametrize(("seen", "words", "command"), STATES.values(), ids=STATES)
def test_the_state_names_the_directory(seen: Observation, words: str, command: str) -> None:
    (row,) = findings(seen, "tablespace-place")
    assert "/srv/ts" in row["text"]
    assert words in row["text"]
    assert command in row["command"]


def test_the_state_tells_a_tablespaces_full_disk() -> None:
    full = space("/srv/ts", free_bytes=1, device=77)
    assert findings(standby("smdw", {"tablespaces": [full]}), "disk-nearly-full")
    assert not findings(standby("smdw", {"tablespaces": [space("/srv/ts")]}), "disk-nearly-full")
    assert not findings(standby("smdw", {"tablespaces": [space("/srv/ts")]}), "tablespace-place")


def test_a_switchover_to_missing_files_is_refused() -> None:
    seen = standby("smdw", {"tablespaces": [space("/srv/ts", unmounted="/srv")]})
    verdict = swap(mirrored("mdw", ON_MASTER), seen, {})
    assert "tablespace-place" in [row.kind for row in verdict.refusals]


def test_an_observation_of_before_knows_nothing_of_places() -> None:
    seen = {key: value for key, value in standby().items() if key != "tablespaces"}
    assert tablespaces.of(t.cast("t.Any", seen)) == []
