-- GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
\echo Use "ALTER EXTENSION hawq_mirroring UPDATE" to load this file. \quit

-- As in the whole script: names are looked up among the server's own alone.
SET LOCAL search_path = pg_catalog, pg_temp;

-- What the guards of this system have asked of the witnesses, as text, since it is the guards' and the witnesses' own. Numbers
-- rise for ever; of the present run of a master the wishes from the newest granted one on are kept.
-- Nothing here tells anybody by NOTIFY: a client's transaction that has told something, and whose commit waits for the
-- standby, holds the lock of all that tell, and the wish that ends its waiting would wait for it.
CREATE TABLE public.hawq_mirroring_wish (
    timeline bigint,
    number bigint,
    wish text NOT NULL,
    asked timestamptz NOT NULL,
    granted boolean NOT NULL,
    PRIMARY KEY (timeline, number)
);

-- What each witness has on its disk, as it has told, and why it has not granted. Who is a witness is in the guard's settings.
CREATE TABLE public.hawq_mirroring_witness (
    hostname text PRIMARY KEY,
    address inet,
    record text NOT NULL,
    refusal text NOT NULL,
    reported timestamptz NOT NULL
);

-- A wish that counts as granted, because the operator has said so: the witnesses are lost, and no other master goes on.
CREATE TABLE public.hawq_mirroring_word (
    timeline bigint,
    number bigint,
    said timestamptz NOT NULL,
    PRIMARY KEY (timeline, number)
);

-- Standbys that no commit is to wait for, since their work is planned.
CREATE TABLE public.hawq_mirroring_released (
    standby text PRIMARY KEY,
    since timestamptz NOT NULL
);

-- The changes of mirroring, the newest thousand.
CREATE TABLE public.hawq_mirroring_change (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_time timestamptz NOT NULL,
    standby text NOT NULL,
    summary_state text NOT NULL,
    detail_state text,
    error_message text,
    timeline bigint NOT NULL,
    lsn pg_lsn NOT NULL
);

CREATE VIEW public.gp_master_mirroring_history AS
SELECT c.log_time, c.standby, c.summary_state, c.detail_state, c.error_message, c.timeline, c.lsn
FROM public.hawq_mirroring_change c ORDER BY c.number DESC LIMIT 1000;

COMMENT ON VIEW public.gp_master_mirroring_history IS 'Changes of master mirroring, the newest first (database postgres)';
GRANT SELECT ON public.gp_master_mirroring_history TO PUBLIC;

-- What the guard says of itself is a setting of the replication role, like its standbys: every database sees it.
CREATE FUNCTION public.hawq_mirroring_guard() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
SELECT substr(c, strpos(c, '=') + 1)::jsonb FROM pg_db_role_setting s, unnest(s.setconfig) AS c
WHERE s.setdatabase = 0 AND c LIKE 'hawq\_mirroring.guard=%' LIMIT 1
$function$;

-- A witness asks for the newest wish and tells its record. It writes only what is new, or every five seconds that it is there.
CREATE FUNCTION public.hawq_mirroring_witness(
    hostname text, record text, refusal text,
    OUT wish text, OUT master text, OUT timeline bigint, OUT lsn pg_lsn, OUT mode text, OUT system_identifier text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
INSERT INTO public.hawq_mirroring_witness AS w (hostname, address, record, refusal, reported)
SELECT left($1, 253), inet_client_addr(), left($2, 4096), left($3, 1000), clock_timestamp()
WHERE NOT pg_is_in_recovery() AND NOT EXISTS (
    SELECT FROM public.hawq_mirroring_witness o
    WHERE o.hostname = left($1, 253) AND o.record = left($2, 4096) AND o.refusal = left($3, 1000)
      AND o.reported > clock_timestamp() - interval '5 seconds')
ON CONFLICT ON CONSTRAINT hawq_mirroring_witness_pkey DO UPDATE
    SET address = excluded.address, record = excluded.record, refusal = excluded.refusal, reported = excluded.reported;
SELECT (SELECT a.wish FROM public.hawq_mirroring_wish a WHERE a.timeline = t.timeline ORDER BY a.number DESC LIMIT 1),
       public.hawq_mirroring_master(), t.timeline, pg_current_wal_lsn(),
       coalesce(public.hawq_mirroring_guard() ->> 'mode', 'asynchronous'),
       (SELECT c.system_identifier::text FROM pg_control_system() c)
FROM (SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint AS timeline) t;
$function$;
REVOKE EXECUTE ON FUNCTION public.hawq_mirroring_witness(text, text, text) FROM PUBLIC;

-- The operator's word for a wish of the present run. Its transaction waits for nobody, nor do those of the next two: a setting
-- of the function itself would be taken back before the commit. Source: PostgreSQL's manual, SET LOCAL.
CREATE FUNCTION public.hawq_mirroring_go_on_alone(number bigint) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
SELECT set_config('synchronous_commit', 'local', true);
INSERT INTO public.hawq_mirroring_word AS w (number, timeline, said)
SELECT $1, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint, clock_timestamp()
ON CONFLICT DO NOTHING
$function$;
REVOKE EXECUTE ON FUNCTION public.hawq_mirroring_go_on_alone(bigint) FROM PUBLIC;

-- Planned work begins with the first of these and ends with the second. The guard says in its state when it has done it.
CREATE FUNCTION public.hawq_mirroring_release(standby text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
SELECT set_config('synchronous_commit', 'local', true);
INSERT INTO public.hawq_mirroring_released AS r (standby, since) VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING
$function$;
REVOKE EXECUTE ON FUNCTION public.hawq_mirroring_release(text) FROM PUBLIC;

CREATE FUNCTION public.hawq_mirroring_wait_again(standby text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
SELECT set_config('synchronous_commit', 'local', true);
DELETE FROM public.hawq_mirroring_released r WHERE r.standby = $1
$function$;
REVOKE EXECUTE ON FUNCTION public.hawq_mirroring_wait_again(text) FROM PUBLIC;


-- Where a guard keeps commits waiting, a standby is Synchronized only while they wait for it. What the guard says counts on
-- the timeline that it was said on, and since when is what it has noted, as long as the state is still that one.
CREATE OR REPLACE FUNCTION public.hawq_mirroring_state(
    OUT standby text, OUT summary_state text, OUT detail_state text, OUT log_time timestamptz, OUT error_message text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
WITH registered AS (
    SELECT trim(name) AS name,
           'hawq_mirroring_' || left(regexp_replace(lower(trim(name)), '[^a-z0-9_]', '_', 'g'), 48) AS slot_name
    FROM pg_db_role_setting s, unnest(s.setconfig) AS c,
         regexp_split_to_table(substr(c, strpos(c, '=') + 1), ',') AS name
    WHERE s.setdatabase = 0 AND c LIKE 'hawq\_mirroring.standbys=%' AND trim(name) <> ''
), guard AS (
    SELECT coalesce(g ->> 'mode', 'asynchronous') AS mode,
           CASE WHEN (g ->> 'timeline')::bigint = t.timeline THEN g ->> 'state' END AS state,
           CASE WHEN (g ->> 'timeline')::bigint = t.timeline THEN g ->> 'reason' END AS reason,
           CASE WHEN (g ->> 'timeline')::bigint = t.timeline THEN g ->> 'alone_since' END AS alone_since,
           g -> 'shown' AS shown, g -> 'released' AS released, g -> 'lost' AS lost,
           current_setting('synchronous_standby_names') <> '' AS waits
    FROM public.hawq_mirroring_guard() g, (
        SELECT CASE WHEN NOT pg_is_in_recovery()
               THEN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END AS timeline) t
), seen AS (
    SELECT r.name, r.slot_name, l.slot_name IS NOT NULL AS has_slot, l.wal_status,
           (to_jsonb(l) ->> 'inactive_since')::timestamptz AS inactive_since,
           w.pid, w.application_name, w.state, w.backend_start, w.sync_state,
           CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), w.flush_lsn) END AS behind
    FROM registered r
    LEFT JOIN pg_replication_slots l ON l.slot_name = r.slot_name
    LEFT JOIN pg_stat_replication w ON w.pid = l.active_pid
    WHERE NOT pg_is_in_recovery()
), looked AS (
    SELECT *, CASE
        WHEN NOT has_slot THEN 'no slot'
        WHEN wal_status = 'lost' THEN 'too far behind'
        WHEN pid IS NULL THEN 'no connection'
        WHEN application_name = 'hawq_mirroring_snapshot' THEN 'snapshot'
        WHEN state = 'stopping' THEN 'stopping'
        WHEN state = 'streaming' AND behind <= 64 * 1024 * 1024 THEN 'synchronized'
        ELSE 'behind' END AS stream
    FROM seen
), judged AS (
    SELECT l.*, g.mode, g.state AS guarded, g.alone_since, g.reason, g.shown -> l.name AS noted, g.waits, CASE
        WHEN l.stream <> 'synchronized' OR g.mode = 'asynchronous' THEN l.stream
        WHEN g.released ? l.name THEN 'released'
        WHEN g.lost ? l.name THEN 'no answer'
        WHEN g.state = 'SYNCHRONOUS' AND g.waits AND l.sync_state IN ('sync', 'quorum') THEN 'synchronized'
        WHEN g.state = 'SYNCHRONOUS' AND NOT g.waits THEN 'set back'
        WHEN g.state = 'ARMING' THEN 'arming'
        ELSE 'kept off' END AS verdict
    FROM looked l, guard g
), told AS (
    SELECT *, CASE WHEN verdict = 'synchronized' THEN 'Synchronized'
                   WHEN verdict IN ('snapshot', 'behind', 'arming') THEN 'Synchronizing'
                   ELSE 'Not Synchronized' END AS summary
    FROM judged
)
SELECT name, summary,
       CASE verdict WHEN 'no slot' THEN 'Unexpected error'
                    WHEN 'set back' THEN 'Unexpected error'
                    WHEN 'kept off' THEN 'Unexpected error'
                    WHEN 'too far behind' THEN 'Standby master too far behind'
                    WHEN 'no connection' THEN 'Connection error'
                    WHEN 'no answer' THEN 'Connection error'
                    WHEN 'stopping' THEN 'WAL Send server error' END,
       coalesce(CASE WHEN noted ->> 'summary' = summary THEN (noted ->> 'since')::timestamptz END,
                CASE WHEN verdict IN ('no connection', 'too far behind') THEN inactive_since ELSE backend_start END),
       CASE verdict WHEN 'no slot' THEN format('replication slot %s of standby %s is missing', slot_name, name)
                    WHEN 'too far behind' THEN format('the WAL that standby %s needs has been removed', name)
                    WHEN 'no connection' THEN format('standby %s is not connected', name)
                    WHEN 'stopping' THEN format('the walsender of standby %s is stopping', name)
                    WHEN 'snapshot' THEN format('standby %s is being copied', name)
                    WHEN 'behind' THEN format('standby %s is %s behind', name, coalesce(pg_size_pretty(behind), 'an unknown amount'))
                    WHEN 'no answer' THEN format('standby %s does not answer', name)
                    WHEN 'released' THEN format('no commit waits for standby %s: its planned work has been told to the guard', name)
                    WHEN 'set back' THEN format('no commit waits for standby %s: synchronous_standby_names is empty, and the guard has not emptied it', name)
                    WHEN 'kept off' THEN format('no commit is sure to wait for standby %s: %s', name,
                                                     coalesce(reason, 'the guard has said nothing on this timeline yet'))
                    WHEN 'arming' THEN format('standby %s has caught up, and commits do not all wait for it yet%s', name,
                                                   ': ' || nullif(reason, ''))
       END || CASE WHEN mode = 'asynchronous' OR verdict IN ('set back', 'kept off', 'released', 'arming') THEN ''
                   WHEN guarded = 'ALONE' AND alone_since IS NOT NULL THEN format(', and the master goes on alone since %s', alone_since)
                   WHEN waits THEN ', and commits wait for a standby'
                   ELSE '' END
FROM told
UNION ALL
SELECT coalesce(r.slot_name, ''),
       CASE WHEN r.status = 'streaming' THEN 'Synchronized' ELSE 'Not Synchronized' END,
       CASE WHEN r.status IS DISTINCT FROM 'streaming' THEN 'Connection error' END,
       r.last_msg_receipt_time,
       'seen from the standby'
FROM (SELECT pg_is_in_recovery() AS recovering) x LEFT JOIN pg_stat_wal_receiver r ON true
WHERE x.recovering
$function$;


-- Who may register a segment may be a witness: init_segments.yml grants both to one role.
DO $do$
DECLARE
    role name;
BEGIN
    FOR role IN SELECT r.rolname
        FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.oid = 'public.hawq_mirroring_register(text, integer, text)'::regprocedure AND a.grantee <> p.proowner
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION public.hawq_mirroring_witness(text, text, text) TO %I', role);
    END LOOP;
END
$do$;
