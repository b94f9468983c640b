#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: relations_info
short_description: Names of relations that WAL knows by their files
version_added: 0.2.0
description:
  - Returns database, schema and name for file numbers as M(hawq.mirroring.divergence_info) returns them. System
    catalogs are left out. A relation that the master does not know (any more) keeps its numbers.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  relations:
    description: Numbers of tablespace, database and file, with slashes between.
    type: list
    elements: str
    required: true
attributes:
  check_mode: {description: Runs the same with and without check mode., support: full}
  diff_mode: {description: Has nothing to show., support: none}
  idempotent: {description: Changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Name the tables
  hawq.mirroring.relations_info:
    instance: "{{ server_instance }}"
    relations: [1663/5/16384]
"""

RETURN = r"""
names:
  description: The names, in order.
  type: list
  elements: str
  returned: success
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import INSTANCE_OPTION, instance_of, run_module

DATABASES = "SELECT oid::text AS oid, datname FROM pg_database WHERE datallowconn"
DEFAULT_TABLESPACE = "SELECT dattablespace::text AS oid FROM pg_database WHERE datname = current_database()"
NAME = """
SELECT n.nspname || '.' || c.relname AS name, c.oid < 16384 AS system
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_filenode_relation(CASE WHEN %(space)s = %(default)s THEN 0 ELSE %(space)s::oid END, %(file)s::oid)
"""


def names_in(instance, home, triples):
    """The names of the relations of one database; None for a system catalog."""
    found = {}
    with database.session(instance, home) as cursor:
        default = database.rows(cursor, DEFAULT_TABLESPACE)[0]["oid"]
        for space, number, file in triples:
            rows = database.rows(cursor, NAME, {"space": space, "default": default, "file": file})
            name = f"{home}: file {file} (not in the master)" if not rows else f"{home}.{rows[0]['name']}"
            found[f"{space}/{number}/{file}"] = None if rows and rows[0]["system"] else name
    return found


def main(module):
    """Ask each database for its own."""
    instance = instance_of(module.params["instance"])
    triples = [tuple(each.split("/")) for each in module.params["relations"]]
    with database.session(instance) as cursor:
        databases = {row["oid"]: row["datname"] for row in database.rows(cursor, DATABASES)}
    found = {}
    for number in sorted({triple[1] for triple in triples}):
        inside = [triple for triple in triples if triple[1] == number]
        if number in databases:
            found.update(names_in(instance, databases[number], inside))
        elif number != "0":  # shared catalogs
            found.update({"/".join(each): f"database {number}: file {each[2]} (not in the master)" for each in inside})
    return {"changed": False, "names": sorted(name for name in found.values() if name)}


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "relations": {"type": "list", "elements": "str", "required": True},
        },
    )
