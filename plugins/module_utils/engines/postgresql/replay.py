# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the replay of WAL waits for sessions, and for which: what would hold a promotion up as well.

Sources: PostgreSQL manual, "Hot Standby" (handling query conflicts), "Wait Events", "pg_locks".
"""

from __future__ import annotations

import typing as t

from . import database

if t.TYPE_CHECKING:
    from ...values import observation

#: a lock, a pinned block, rows that were removed, a tablespace: what the process that replays shows while it waits
WAITS = """
SELECT pid, wait_event_type AS kind, wait_event AS event FROM pg_stat_activity
WHERE backend_type = 'startup'
  AND (wait_event_type IN ('Lock', 'BufferPin') OR wait_event IN ('BufferPin', 'RecoveryConflictSnapshot',
       'RecoveryConflictTablespace'))
"""
#: pg_blocking_pids knows no process that replays. Of the conflicts that are no lock nobody tells whose they are: those
#: with a snapshot may be it, and of a tablespace all with a transaction. A walsender's snapshot is another host's.
BLOCKERS = """
SELECT a.pid, a.usename AS user, a.application_name AS name,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS open_seconds
FROM pg_stat_activity a
WHERE a.backend_type NOT IN ('walsender', 'parallel worker') AND a.pid <> pg_backend_pid()
  AND CASE
      WHEN %(kind)s = 'Lock' THEN a.pid IN (
          SELECT held.pid FROM pg_locks wanted JOIN pg_locks held
              ON (held.locktype, held.database, held.relation, held.page, held.tuple, held.virtualxid,
                  held.transactionid, held.classid, held.objid, held.objsubid)
                 IS NOT DISTINCT FROM
                 (wanted.locktype, wanted.database, wanted.relation, wanted.page, wanted.tuple, wanted.virtualxid,
                  wanted.transactionid, wanted.classid, wanted.objid, wanted.objsubid)
          WHERE wanted.pid = %(pid)s AND NOT wanted.granted AND held.granted)
      WHEN %(event)s = 'RecoveryConflictTablespace' THEN a.xact_start IS NOT NULL
      ELSE a.backend_xmin IS NOT NULL
      END
ORDER BY a.xact_start, a.pid
"""


def waits(cursor: t.Any) -> tuple[bool, list[observation.Blocker]]:
    """Whether it waits right now, and the sessions that may be the reason, the oldest transaction first."""
    waiting = database.rows(cursor, WAITS)
    if not waiting:
        return False, []
    return True, t.cast("list[observation.Blocker]", database.rows(cursor, BLOCKERS, waiting[0]))
