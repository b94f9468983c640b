# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The update of the extension to what a guard needs. What it does on a server is held by test_guard_on_servers."""

from __future__ import annotations

import re

from test_extension import FILES, SAFE_PATH

SCRIPT = (FILES / "hawq_mirroring--1.1--1.2.sql").read_text()


def test_it_looks_names_up_among_the_servers_own_alone() -> None:
    lines = [line for line in SCRIPT.splitlines() if line and not line.startswith(("--", "\\echo"))]
    assert lines[0] == SAFE_PATH
    kinds = r"(?:VIEW |TABLE |FUNCTION )?"
    made = re.findall(
        rf"^(?:CREATE(?: OR REPLACE)?|DROP|COMMENT ON|(?:GRANT|REVOKE) \w+ ON) {kinds}(\S+)", SCRIPT, re.MULTILINE
    )
    assert len(made) > 15
    assert [name for name in made if not name.startswith("public.")] == []
    functions = re.findall(r"^LANGUAGE .*$", SCRIPT, re.MULTILINE)
    assert all("SET search_path = pg_catalog, pg_temp" in each for each in functions)


def test_only_who_is_told_to_may_execute_what_changes_something() -> None:
    made = re.findall(r"^CREATE FUNCTION (public\.\w+)\(", SCRIPT, re.MULTILINE)
    closed = re.findall(r"^REVOKE EXECUTE ON FUNCTION (public\.\w+)\(.*FROM PUBLIC;", SCRIPT, re.MULTILINE)
    assert sorted(set(made) - set(closed)) == ["public.hawq_mirroring_guard"]


def test_nothing_is_told_by_what_a_waiting_transaction_locks() -> None:
    assert "pg_notify" not in SCRIPT
