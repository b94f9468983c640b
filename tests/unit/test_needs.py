# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the databases of a master need and another host lacks, before a copy, before a swap, and after a failover."""

from __future__ import annotations

import copy
import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines import table
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.table import POSTGRESQL, quoted
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import init_standby, needs, switchover
from ansible_collections.hawq.mirroring.plugins.module_utils.values import shape
from ansible_collections.hawq.mirroring.plugins.module_utils.values.observation import Observation as Shape
from host_needs import NEEDS, OFFERS, alone, have, needing
from observations import HOSTS, Observation, change, crashed, mirrored, standby, stopped_standby, unreachable

Hosts = dict[str, Observation]
ACCEPTED = {"accept_collation_difference": True}
LIBRARY, LOCALE, SORTING = "library-missing", "locale-missing", "collation-difference"
PROJ = "libproj.so.25: cannot open shared object file: No such file or directory"


def without(kind: str, *names: str) -> dict[str, t.Any]:
    return {kind: [each for each in OFFERS[kind] if each not in names]}


def changed(**rows: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the master's needs with one of their rows changed, by kind."""
    told = copy.deepcopy(NEEDS)
    for kind, row in rows.items():
        told[kind].append({**told[kind][-1], **row})
    return {"server.needs": told}


def with_master(hosts: Hosts, overrides: dict[str, t.Any]) -> Hosts:
    return {**hosts, "mdw": change(hosts["mdw"], overrides)}


OWN_CONFIGURATION = {"configuration.outside": True, "configuration.exists": True}
#: of a host without a server: what is refused, with words of it
BEFORE_A_COPY: dict[str, tuple[Hosts, list[tuple[str, str, str]]]] = {
    "all is there": (alone({}), []),
    "66: a preloaded library": (
        alone(without("libraries", "pg_stat_statements")),
        [
            (
                LIBRARY,
                "pg_stat_statements (shared_preload_libraries): a server there would not start",
                "dpkg -S /usr/lib",
            )
        ],
    ),
    "66: the library of a function": (
        alone(without("libraries", "postgis-3")),
        [(LIBRARY, "postgis-3 (extension postgis of database shop): what uses it would fail", "lib/postgis-3.so")],
    ),
    "66: what a database preloads for its sessions": (
        alone(without("libraries", "auto_explain")),
        [(LIBRARY, "auto_explain (session_preload_libraries of database shop)", "dpkg -S")],
    ),
    "66: what a logical slot is read by": (
        alone(without("libraries", "wal2json")),
        [(LIBRARY, "wal2json (slot debezium)", "dpkg -S")],
    ),
    "66: a library by its path": (
        alone({"paths": {"/opt/shop/price.so": False}}),
        [(LIBRARY, "/opt/shop/price (function price of database shop)", "rpm -qf /opt/shop/price.so")],
    ),
    "66: elsewhere than on the master, and here in the engine's own place": (
        with_master(
            alone({"libraries": [*OFFERS["libraries"], "pg_cron"], "paths": {"/opt/shop/price.so": True}}),
            changed(libraries={"name": "pg_cron", "path": "/opt/further/pg_cron.so"}),
        ),
        [],
    ),
    "66: a library by its path that was not looked for": (alone({"paths": {}}), []),
    "66: it is there, and its own libraries are not": (
        alone({"broken": {"postgis-3": PROJ}}),
        [(LIBRARY, f"postgis-3 (extension postgis of database shop; it cannot be loaded there: {PROJ})", "dpkg")],
    ),
    "both sorts": (
        alone(without("libraries", "pg_stat_statements", "postgis-3")),
        [(LIBRARY, "postgis-3", "Install"), (LIBRARY, "pg_stat_statements", "Install")],
    ),
    "no programs yet": (alone({"directory": None, "libraries": None}), []),
    "87: the locale of a database": (
        alone(without("locales", "de_DE.utf8")),
        [(LOCALE, "de_DE.UTF-8 (database shop): a database whose locale", "localedef -i de_DE -f UTF-8 de_DE.UTF-8")],
    ),
    "a locale of the settings": (
        alone(without("locales", "C.utf8")),
        [(LOCALE, "C.UTF-8 (lc_messages and lc_monetary and others): a server there would not start", "localedef")],
    ),
    "locales that cannot be told": (alone({"locales": None}), []),
    "the master has no such locale either": (
        with_master(alone(without("locales", "de_DE.utf8")), have(locale={"de_DE.UTF-8": False})),
        [],
    ),
    "68: another C library": (
        alone({"versions": {"libc": "2.28", "icu": "153.120"}}),
        [(SORTING, "libc 2.36 on mdw and by libc 2.28 on smdw (database shop)", "-e accept_collation_difference=true")],
    ),
    "68: another ICU": (
        alone({"versions": {"libc": "2.36", "icu": "153.112"}}),
        [(SORTING, "icu 153.120 on mdw and by icu 153.112 on smdw (database shop)", "the same version")],
    ),
    "no ICU at all": (
        alone({"versions": {"libc": "2.36"}}),
        [(SORTING, "icu 153.120 on mdw, and smdw has no icu", "the same version")],
    ),
    "the version of a language of ICU, whose root is the same": (
        with_master(alone({}), have(icu="153.120.44")),
        [],
    ),
    "versions that cannot be told": (alone({"versions": {}}), []),
    "databases that sort by plain bytes": (
        with_master(
            alone({"versions": {"libc": "2.28"}}), {"server.needs": {**NEEDS, "sorting": NEEDS["sorting"][:2]}}
        ),
        [],
    ),
    "a master that does not say it": (
        with_master(alone({"libraries": [], "locales": []}), {"server.needs": None}),
        [],
    ),
}
INIT: dict[str, t.Any] = {
    **cases.RESYNC_DEFAULTS,
    "replace_standby": False,
    "additional_standby": False,
    "master_restart_allowed": True,
}


def copied(hosts: Hosts, **options: t.Any) -> t.Any:
    return init_standby.judge(hosts, HOSTS, t.cast(t.Any, {**INIT, **options}))


@pytest.mark.parametrize(("hosts", "expected"), BEFORE_A_COPY.values(), ids=BEFORE_A_COPY)
def test_before_a_copy(hosts: Hosts, expected: list[tuple[str, str, str]]) -> None:
    for seen in hosts.values():
        assert shape.misfits(seen, Shape) == []
    refusals = copied(hosts).refusals
    assert [each.kind for each in refusals] == [kind for kind, _found, _command in expected]
    for refusal, (_kind, found, command) in zip(refusals, expected):
        assert found in f"{refusal.found}: {refusal.why}"
        assert command in refusal.command


def test_another_order_is_accepted() -> None:
    hosts = BEFORE_A_COPY["68: another C library"][0]
    assert copied(hosts, **ACCEPTED).refusals == []


def test_an_observation_of_an_older_version_is_no_reason() -> None:
    hosts = alone(without("libraries", "postgis-3"))
    del hosts["smdw"]["offers"]
    assert copied(hosts).refusals == []
    hosts = alone(without("libraries", "postgis-3"))
    del hosts["mdw"]["server"]["needs"]
    assert copied(hosts).refusals == []


def test_a_host_with_a_configuration_of_its_own_need_not_preload_the_same() -> None:
    hosts = alone(without("libraries", "pg_stat_statements"), **OWN_CONFIGURATION)
    assert [(each.kind, each.why) for each in copied(hosts).refusals] == [
        (LIBRARY, "what uses it would fail there, for some settings every session")
    ]


STOPPED = {
    "offers": {**OFFERS, **without("libraries", "pg_stat_statements", "postgis-3"), **without("locales", "de_DE.utf8")}
}


def test_a_resynchronisation_is_refused_only_where_no_server_would_start() -> None:
    hosts = {"mdw": mirrored("mdw", have()), "smdw": stopped_standby("smdw", STOPPED)}
    assert [each.found for each in cases.resync(hosts, {}).refusals] == [
        "smdw lacks libraries that databases load: pg_stat_statements (shared_preload_libraries)"
    ]
    running = needing(have(library={"pg_stat_statements": False}, libc="2.28"))
    assert cases.resync(running, {}).refusals == []


SWAP: dict[str, t.Any] = {"master_host": "smdw", "standby_host": None, "fence_command": None, "master_is_down": False}
SWAP.update(accept_data_loss=False, replication_user="hawq_mirroring", witnesses={})
#: of a running standby: the refusals of a swap, and what state tells
RUNNING: dict[str, tuple[Hosts, list[str]]] = {
    "all is there": (needing(have()), []),
    "a preloaded library that is gone since": (needing(have(library={"pg_stat_statements": False})), [LIBRARY]),
    "a function's library": (needing(have(library={"postgis-3": False})), [LIBRARY]),
    "a library by its path": (needing(have(library={"/opt/shop/price": False})), [LIBRARY]),
    "a locale": (needing(have(locale={"de_DE.UTF-8": False})), [LOCALE]),
    "a locale that its server does not say": (needing(have(locale={"de_DE.UTF-8": None})), []),  # type: ignore[dict-item]
    "another C library": (needing(have(libc="2.28")), [SORTING]),
    "another ICU": (needing(have(icu="153.112")), [SORTING]),
    "a database of just now, another C library": (
        with_master(
            needing(have(libc="2.28")),
            changed(sorting={"database": "new", "provider": "libc", "recorded": "2.36", "actual": "2.36"}),
        ),
        [SORTING],
    ),
    "an extension of just now": (
        with_master(needing(have()), changed(libraries={"name": "pg_cron", "path": None})),
        [LIBRARY],
    ),
    "a library by its path of just now": (
        with_master(needing(have()), changed(libraries={"name": "/opt/x", "path": "/opt/x.so"})),
        [],
    ),
    "a locale of just now": (with_master(needing(have()), changed(locales={"name": "it_IT.UTF-8"})), []),
}


@pytest.mark.parametrize(("hosts", "kinds"), RUNNING.values(), ids=RUNNING)
def test_before_a_swap_and_in_the_state(hosts: Hosts, kinds: list[str]) -> None:
    assert [each.kind for each in switchover.judge(hosts, HOSTS, t.cast(t.Any, SWAP)).refusals] == kinds
    document = cases.state(hosts)
    assert [each["kind"] for each in document["problems"]] == kinds
    outcomes = {row["case"]: row["outcome"] for row in document["readiness"]}
    assert outcomes == {
        "server dies": "works",
        "host goes silent": "works",
        "host is lost": "may lose",
        "switchover": "refused" if kinds else "works",
    }


def test_it_lasts_when_a_run_has_put_the_standby_in_order() -> None:
    found = cases.state(RUNNING["a function's library"][0], settled="smdw")
    assert [each["kind"] for each in found["problems"]] == [LIBRARY]


def test_an_accepted_difference_is_a_note_and_hinders_no_swap() -> None:
    hosts = needing(have(libc="2.28"))
    assert switchover.judge(hosts, HOSTS, t.cast(t.Any, {**SWAP, **ACCEPTED})).refusals == []
    document = cases.state(hosts, ACCEPTED)
    assert (document["problems"], [each["kind"] for each in document["notes"]]) == ([], [SORTING])
    assert document["readiness"][3]["outcome"] == "works"
    assert document["readiness"][0]["words"].endswith("indexes on texts must be rebuilt there (database shop)")


LINE = "runuser -u gpadmin -- /usr/lib/postgresql/15/bin/psql -h /var/run/postgresql -p 5432"
REINDEX = (
    f'{LINE} -d shop -c "REINDEX DATABASE shop" -c "ALTER DATABASE shop REFRESH COLLATION VERSION"',
    f'{LINE} -d shop -c "REINDEX DATABASE shop" -c "ALTER COLLATION pg_catalog.\\"de-x-icu\\" REFRESH VERSION"',
)
#: of the standby that takes over: what is to be typed, and what is lacking
AFTER: dict[str, tuple[Observation, list[str], list[str]]] = {
    "all is there": (standby("smdw", have()), [], []),
    "another C library": (standby("smdw", have(libc="2.28")), [REINDEX[0]], []),
    "another ICU": (standby("smdw", have(icu="153.112")), [REINDEX[1]], []),
    "a locale is missing": (
        standby("smdw", have(locale={"de_DE.UTF-8": False})),
        [],
        ["smdw lacks a locale that is needed: de_DE.UTF-8 (database shop)"],
    ),
    "a library is missing": (
        standby("smdw", have(library={"postgis-3": False})),
        [],
        ["smdw lacks libraries that databases load: postgis-3 (extension postgis of database shop)"],
    ),
    "it does not say": (standby("smdw"), [], []),
    "it is stopped": (stopped_standby("smdw", STOPPED), [], []),
}


@pytest.mark.parametrize(("smdw", "rebuild", "lacking"), AFTER.values(), ids=AFTER)
def test_a_failover_goes_on_and_says_it(smdw: Observation, rebuild: list[str], lacking: list[str]) -> None:
    verdict = cases.failover({"mdw": crashed(), "smdw": smdw}, {})
    assert verdict.refusals == []
    assert (verdict.plan["rebuild"], verdict.plan["lacking"]) == (rebuild, lacking)
    away = cases.failover({"mdw": unreachable(), "smdw": smdw}, {"master_is_down": True})
    assert away.refusals or away.plan["rebuild"] == rebuild


LOCALES = {
    "de_DE.UTF-8": "de_DE.utf8",
    "de_DE.utf8": "de_DE.utf8",
    "de_DE.ISO-8859-15@euro": "de_DE.iso885915@euro",
    "de_DE.8859-1": "de_DE.iso88591",
    "de_DE@euro": "de_DE@euro",
    "de_DE": "de_DE",
    "C.UTF-8": "C.utf8",
    "german": "german",
}


@pytest.mark.parametrize(("name", "same"), LOCALES.items())
def test_names_of_one_locale(name: str, same: str) -> None:
    assert needs.same_locale(name) == same


def test_names_are_quoted() -> None:
    assert [quoted(name) for name in ("shop", "Shop", 'a"b')] == ["shop", '"Shop"', '"a""b"']
    statements = POSTGRESQL.words.rebuilding("it's", [None])
    assert table.typed(standby(), statements, "it's").endswith(
        """ -d 'it'"'"'s' -c "REINDEX DATABASE \\"it's\\"" -c "ALTER DATABASE \\"it's\\" REFRESH COLLATION VERSION\""""
    )
