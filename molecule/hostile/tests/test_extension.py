# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An ordinary role fills schema public with shadows of every name that the extension uses. None is ever called."""

from __future__ import annotations

import re
import typing as t

import pytest
from harness import ROOT, Pair, changed, flat, lab, on, play, sql, until

HERE = ROOT / "molecule/hostile"
FILES = sorted((ROOT / "roles/master/files").glob("*.sql"))
PLACE = "/usr/share/postgresql/15/extension"
OLD = "hawq_mirroring--1.0.sql"
HBA = "/data/hawq/master/pg_hba.conf"
WORDS = sorted({word for file in FILES for word in re.findall(r"\b([a-z_]+)\(", file.read_text())})
#: what the views use of schema public
USED = """
SELECT pg_describe_object(refclassid, refobjid, 0) FROM pg_depend WHERE classid = 'pg_rewrite'::regclass AND (
    refclassid = 'pg_proc'::regclass
    AND (SELECT pronamespace FROM pg_proc WHERE oid = refobjid) = 'public'::regnamespace
    OR refclassid = 'pg_operator'::regclass
    AND (SELECT oprnamespace FROM pg_operator WHERE oid = refobjid) = 'public'::regnamespace)
"""
OURS = {"function hawq_mirroring_state()", "function hawq_mirroring_master()"}
CALLS = """
TABLE public.gp_master_mirroring; TABLE public.gp_segment_configuration; SELECT * FROM public.hawq_mirroring_state();
SELECT * FROM public.hawq_mirroring_register('odd', 1, '');
SELECT * FROM public.hawq_mirroring_register('odd', 1, 'sick');
UPDATE public.hawq_mirroring_segment SET reported = '-infinity'; TABLE public.gp_segment_configuration;
UPDATE public.hawq_mirroring_segment SET reported = now() - interval '1 hour'; TABLE public.gp_segment_configuration;
TABLE public.gp_master_mirroring;
"""
READS = """
TABLE public.gp_master_mirroring; TABLE public.gp_segment_configuration; SELECT * FROM public.hawq_mirroring_state();
"""
LOOK = r"""
SET search_path = pg_catalog;
\d+ public.gp_master_mirroring
\d+ public.gp_segment_configuration
\sf public.hawq_mirroring_register
"""


@pytest.fixture
def database(cluster: Pair) -> t.Iterator[str]:
    """Give a database with the shadows, in which nothing of ours is."""
    sql(cluster.master, "CREATE ROLE mallory", database="template1")
    sql(cluster.master, "CREATE DATABASE shop TEMPLATE template0")
    sql(cluster.master, "GRANT CREATE ON SCHEMA public TO mallory", database="shop")
    shadows = (HERE / "shadows.sql").read_text()
    head = f"\\set words '{','.join(WORDS)}'\nSET SESSION AUTHORIZATION mallory;\n"
    sql(cluster.master, head + shadows, database="shop")
    yield "shop"
    sql(cluster.master, "DROP DATABASE shop WITH (FORCE)")
    sql(cluster.master, "DROP ROLE mallory")


def used(host: str) -> set[str]:
    return set(sql(host, USED, database="shop").splitlines())


def test_no_shadow_is_ever_called(cluster: Pair, database: str) -> None:
    play("init_standby", "-e", '{"master_view_databases": ["shop"]}')
    assert used(cluster.master) == OURS
    assert "SHADOW" not in sql(cluster.master, CALLS, database=database)
    # an ordinary user's path has the shadows in it, and the views do not follow it
    sql(cluster.master, f"SET search_path = public, pg_catalog; {READS}", database=database)
    assert changed(play("init_standby", "-e", '{"master_view_databases": ["shop"]}')) == 0


def test_an_update_frees_views_that_were_caught(cluster: Pair, database: str) -> None:
    old = (HERE / OLD).read_text()
    lab("ssh", cluster.master, f"cat > {PLACE}/{OLD} <<'END'\n{old}\nEND")
    sql(cluster.master, "CREATE EXTENSION hawq_mirroring VERSION '1.0'", database=database)
    assert used(cluster.master) > OURS, "the test must catch version 1.0"
    # a view of somebody else stands on ours, and stays
    sql(cluster.master, "CREATE VIEW public.theirs AS TABLE public.gp_master_mirroring", database=database)
    play("init_standby", "-e", '{"master_view_databases": ["shop"]}')
    version = "SELECT extversion FROM pg_extension WHERE extname = 'hawq_mirroring'"
    assert sql(cluster.master, version, database=database) == "1.1"
    assert used(cluster.master) == OURS
    sql(cluster.master, f"{CALLS} TABLE public.theirs", database=database)
    assert on(cluster.master, f"ls {PLACE}/{OLD}", check=False) == ""
    # what an update makes is what a new extension has
    assert sql(cluster.master, LOOK, database=database) == sql(cluster.master, LOOK)


FOREIGN = {
    "a view": ("VIEW public.gp_master_mirroring AS SELECT 1", "DROP VIEW public.gp_master_mirroring"),
    "a table": ("TABLE public.hawq_mirroring_segment ()", "DROP TABLE public.hawq_mirroring_segment"),
    "a type": ("TYPE public.gp_segment_configuration AS ENUM ()", "DROP TYPE public.gp_segment_configuration"),
    "a function": (
        "FUNCTION public.hawq_mirroring_register(text, integer, text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "DROP ROUTINE public.hawq_mirroring_register(text, integer, text)",
    ),
}


@pytest.mark.parametrize(("made", "drop"), FOREIGN.values(), ids=FOREIGN)
def test_what_bears_our_names_already_is_not_adopted(cluster: Pair, made: str, drop: str) -> None:
    sql(cluster.master, "CREATE DATABASE other TEMPLATE template0")
    try:
        sql(cluster.master, f"CREATE {made}", database="other")
        said = flat(play("init_standby", "-e", '{"master_view_databases": ["other"]}', ok=False))
        assert "somebody else has put" in said
        assert f"if nobody needs it: {drop}; then run this again" in said
        sql(cluster.master, drop, database="other")
        play("init_standby", "-e", '{"master_view_databases": ["other"]}')
    finally:
        sql(cluster.master, "DROP DATABASE other WITH (FORCE)")


def rows(host: str) -> str:
    return sql(host, "SELECT status FROM gp_segment_configuration WHERE hostname = 'sdw1'")


def test_a_cluster_of_version_1_0_is_changed_over_in_one_run(cluster: Pair) -> None:
    """As version 1.0 has left it: the segment logs in as the replication role, with its password."""
    lab("ssh", cluster.master, f"cat > {PLACE}/{OLD} <<'END'\n{(HERE / OLD).read_text()}\nEND")
    on("sdw1", "systemctl stop hawq-mirroring-segment")
    for database in ("postgres", "template1"):
        sql(cluster.master, "DROP EXTENSION hawq_mirroring", database=database)
        sql(cluster.master, "CREATE EXTENSION hawq_mirroring VERSION '1.0'", database=database)
    sql(cluster.master, "DROP ROLE hawq_mirroring_segment")
    for host in cluster:
        on(host, "sed -i '/hawq_mirroring_segment/d' ~gpadmin/.pgpass")
        on(host, "sed -i 's/^host postgres hawq_mirroring_segment/host postgres hawq_mirroring/' " + HBA)
        sql(host, "SELECT pg_reload_conf()")
    lines = on(cluster.master, "sed -n 's/:replication:/:postgres:/p' ~gpadmin/.pgpass")
    on("sdw1", f"cat > /etc/hawq-mirroring/segment.pgpass <<'END'\n{lines}\nEND")
    on("sdw1", "sed -i 's/hawq_mirroring_segment/hawq_mirroring/' /etc/hawq-mirroring/segment.json")
    on("sdw1", "systemctl start hawq-mirroring-segment")
    until(lambda: rows(cluster.master) == "u", 30, "the segment registers as it did with version 1.0")
    # a run that does not know of segments takes nothing from them
    play("init_standby")
    sql(cluster.master, "UPDATE hawq_mirroring_segment SET reported = '-infinity'")
    until(lambda: rows(cluster.master) == "u", 30, "the segment goes on to register")

    play("init_segments")
    assert changed(play("init_segments")) == 0
    until(lambda: rows(cluster.master) == "u", 30, "the segment registers as the role of its own")
    assert ":hawq_mirroring:" not in on("sdw1", "cat /etc/hawq-mirroring/segment.pgpass")
    granted = "SELECT proacl FROM pg_proc WHERE proname = 'hawq_mirroring_register'"
    assert sql(cluster.master, granted) == "{gpadmin=X/gpadmin,hawq_mirroring_segment=X/gpadmin}"
    for host in cluster:
        assert "host postgres hawq_mirroring " not in on(host, f"cat {HBA}")
