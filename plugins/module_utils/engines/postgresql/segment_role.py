# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role that segments register as: it may log in and execute one function, and nothing else.

Source: PostgreSQL manual, "Privileges".
"""

from __future__ import annotations

import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.lock import alone
from ...host.module import Instance
from ...values import conninfo, scram, text
from . import database

#: the comment of a role that was made here
MARK = "made by hawq.mirroring for its segments"
REGISTER = "public.hawq_mirroring_register(text, integer, text)"
RIGHTS = "LOGIN NOSUPERUSER NOREPLICATION NOCREATEROLE NOCREATEDB NOBYPASSRLS VALID UNTIL 'infinity'"
ROLE = """
SELECT rolpassword, shobj_description(oid, 'pg_authid') IS NOT DISTINCT FROM %s AS ours,
       rolcanlogin AND NOT (rolsuper OR rolreplication OR rolcreaterole OR rolcreatedb OR rolbypassrls)
       AND coalesce(rolvaliduntil > now(), true) AS fits
FROM pg_authid WHERE rolname = %s
"""
#: whoever may register beside the owner
GRANTEES = """
SELECT coalesce(r.rolname, '') AS name
FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE p.oid = to_regprocedure('public.hawq_mirroring_register(text, integer, text)')
  AND a.privilege_type = 'EXECUTE' AND a.grantee <> p.proowner
ORDER BY name
"""

#: what some have taken from all roles, so that this one needs it for itself
WAY_IN = """
SELECT coalesce(has_database_privilege(r.oid, current_database(), 'CONNECT')
                AND has_schema_privilege(r.oid, 'public', 'USAGE'), true) AS open
FROM (SELECT to_regrole(%s) AS oid) r
"""
#: where there is a guard, segments bear witness as this role, too
WITNESS = "public.hawq_mirroring_witness(text, text, text)"
BEARS_WITNESS = f"""
SELECT coalesce(has_function_privilege(to_regrole(%s)::oid, to_regprocedure('{WITNESS}')::oid, 'EXECUTE'), true) AS may
"""
PUBLIC = "SELECT FROM pg_namespace WHERE nspname = 'public'"


def present(instance: Instance, act: bool, *, role: str, passfile: str) -> dict[str, t.Any]:
    """Make or repair the role, with the file's password, and see that it alone may register."""
    done: list[str] = []
    with alone(act), database.session(instance) as cursor:
        password = conninfo.password_in(files.read(passfile) or "", role)
        if password is None and act:
            raise MirroringError(f"{passfile} holds no password for {role}: run the whole playbook again")
        found = database.rows(cursor, ROLE, (MARK, role))
        if found and not found[0]["ours"]:
            ours = f"COMMENT ON ROLE {role} IS '{MARK}'"
            raise MirroringError(
                f"there is a role {role} that this collection did not make: name another with master_segment_user"
                " in the inventory, or hand it over, which changes its password and its rights:"
                f" {database.typed(instance, ours)}"
            )
        if not found or not found[0]["fits"] or not scram.matches(password or "", found[0]["rolpassword"]):
            done.append("role")
            if act:
                verb = "ALTER" if found else "CREATE"
                database.keep_out_of_the_log(cursor)
                cursor.execute(f'{verb} ROLE "{role}" WITH {RIGHTS} PASSWORD %s', (scram.verifier(password or ""),))
                cursor.execute(f'COMMENT ON ROLE "{role}" IS %s', (MARK,))
        done += _grant(cursor, role, act)
    after = "".join(f"{word}\n" for word in done)
    return {"changed": bool(done), "done": done, "diff": {"before": "", "after": after}}


def absent(instance: Instance, act: bool, *, role: str) -> dict[str, t.Any]:
    """Drop the role, if it was made here."""
    with alone(act), database.session(instance) as cursor:
        found = database.rows(cursor, ROLE, (MARK, role))
        ours = bool(found) and found[0]["ours"]
        if ours and act:
            # the one in which it has registered may have another name by now
            for name in database.names(instance):
                _shut(instance, name, role)
            cursor.execute(f'DROP ROLE "{role}"')
    done = ["role"] if ours else []
    return {"changed": ours, "done": done, "diff": {"before": "".join(f"{word}\n" for word in done), "after": ""}}


def _shut(instance: Instance, name: str, role: str) -> None:
    """Take the way into a database away; a schema public may have been dropped."""
    with database.session(instance, text.raw(name)) as cursor:
        cursor.execute(f'REVOKE ALL ON DATABASE {database.current(cursor)} FROM "{role}"')
        if database.rows(cursor, PUBLIC):
            cursor.execute(f'REVOKE ALL ON SCHEMA public FROM "{role}"')


def _grant(cursor: t.Any, role: str, act: bool) -> list[str]:
    """Let the role register, and no other: segments of version 1.0 did so as the replication role."""
    may = [row["name"] for row in database.rows(cursor, GRANTEES)]
    others = [name for name in may if name != role]
    if act:
        for name in others:
            whom = f'"{name}"' if name else "PUBLIC"
            cursor.execute(f"REVOKE EXECUTE ON FUNCTION {REGISTER} FROM {whom}")
        if role not in may:
            cursor.execute(f'GRANT EXECUTE ON FUNCTION {REGISTER} TO "{role}"')
    closed = not all(row["open"] for row in database.rows(cursor, WAY_IN, (f'"{role}"',)))
    if closed and act:
        cursor.execute(f'GRANT CONNECT ON DATABASE {database.current(cursor)} TO "{role}"')
        cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
    silent = not all(row["may"] for row in database.rows(cursor, BEARS_WITNESS, (f'"{role}"',)))
    if silent and act:
        cursor.execute(f'GRANT EXECUTE ON FUNCTION {WITNESS} TO "{role}"')
    return [
        *(["way in"] if closed else []),
        *(["right to bear witness"] if silent else []),
        *(f"no right of {name or 'everybody'}" for name in others),
        *([] if role in may else ["right to register"]),
    ]
