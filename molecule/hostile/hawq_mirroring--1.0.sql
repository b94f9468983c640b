-- GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
\echo Use "CREATE EXTENSION hawq_mirroring" to load this file. \quit

-- The standbys are registered as a setting of the replication role: a shared catalog, so every database sees it.
-- Security definer, since only privileged roles may read the statistics of walsenders.
CREATE FUNCTION hawq_mirroring_state(
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
), seen AS (
    SELECT r.name, r.slot_name, l.slot_name IS NOT NULL AS has_slot, l.wal_status,
           (to_jsonb(l) ->> 'inactive_since')::timestamptz AS inactive_since,
           w.pid, w.application_name, w.state, w.backend_start,
           CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), w.flush_lsn) END AS behind
    FROM registered r
    LEFT JOIN pg_replication_slots l ON l.slot_name = r.slot_name
    LEFT JOIN pg_stat_replication w ON w.pid = l.active_pid
    WHERE NOT pg_is_in_recovery()
), judged AS (
    SELECT *, CASE
        WHEN NOT has_slot THEN 'no slot'
        WHEN wal_status = 'lost' THEN 'too far behind'
        WHEN pid IS NULL THEN 'no connection'
        WHEN application_name = 'hawq_mirroring_snapshot' THEN 'snapshot'
        WHEN state = 'stopping' THEN 'stopping'
        WHEN state = 'streaming' AND behind <= 64 * 1024 * 1024 THEN 'synchronized'
        ELSE 'behind' END AS verdict
    FROM seen
)
SELECT name,
       CASE WHEN verdict = 'synchronized' THEN 'Synchronized'
            WHEN verdict IN ('snapshot', 'behind') THEN 'Synchronizing'
            ELSE 'Not Synchronized' END,
       CASE verdict WHEN 'no slot' THEN 'Unexpected error'
                    WHEN 'too far behind' THEN 'Standby master too far behind'
                    WHEN 'no connection' THEN 'Connection error'
                    WHEN 'stopping' THEN 'WAL Send server error' END,
       CASE WHEN verdict IN ('no connection', 'too far behind') THEN inactive_since ELSE backend_start END,
       CASE verdict WHEN 'no slot' THEN format('replication slot %s of standby %s is missing', slot_name, name)
                    WHEN 'too far behind' THEN format('the WAL that standby %s needs has been removed', name)
                    WHEN 'no connection' THEN format('standby %s is not connected', name)
                    WHEN 'stopping' THEN format('the walsender of standby %s is stopping', name)
                    WHEN 'snapshot' THEN format('standby %s is being copied', name)
                    WHEN 'behind' THEN format('standby %s is %s behind', name, coalesce(pg_size_pretty(behind), 'an unknown amount'))
       END
FROM judged
UNION ALL
SELECT coalesce(r.slot_name, ''),
       CASE WHEN r.status = 'streaming' THEN 'Synchronized' ELSE 'Not Synchronized' END,
       CASE WHEN r.status IS DISTINCT FROM 'streaming' THEN 'Connection error' END,
       r.last_msg_receipt_time,
       'seen from the standby'
FROM (SELECT pg_is_in_recovery() AS recovering) x LEFT JOIN pg_stat_wal_receiver r ON true
WHERE x.recovering
$function$;

CREATE VIEW gp_master_mirroring AS
SELECT s.summary_state, s.detail_state, s.log_time, s.error_message
FROM (SELECT pg_catalog.row_number() OVER (ORDER BY CASE summary_state
                 WHEN 'Not Synchronized' THEN 1 WHEN 'Synchronizing' THEN 2 ELSE 3 END, standby) AS rank,
             summary_state, detail_state, log_time, error_message
      FROM public.hawq_mirroring_state()
      UNION ALL
      SELECT 1000000, 'Not Configured', NULL, NULL, NULL) s
ORDER BY s.rank LIMIT 1;

COMMENT ON VIEW gp_master_mirroring IS 'State of master mirroring now: always one row, the worst standby';
GRANT SELECT ON gp_master_mirroring TO PUBLIC;

-- Segments report themselves here, in database postgres, to whichever host is the master.
CREATE TABLE hawq_mirroring_segment (
    registration_order integer GENERATED ALWAYS AS IDENTITY,
    hostname text NOT NULL,
    port integer NOT NULL,
    address inet,
    trouble text NOT NULL,
    reported timestamptz NOT NULL,
    PRIMARY KEY (hostname, port)
);
SELECT pg_catalog.pg_extension_config_dump('hawq_mirroring_segment', '');

-- Who the master is called is a setting of the replication role, like its standbys.
CREATE FUNCTION hawq_mirroring_master() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
SELECT substr(c, strpos(c, '=') + 1) FROM pg_db_role_setting s, unnest(s.setconfig) AS c
WHERE s.setdatabase = 0 AND c LIKE 'hawq\_mirroring.master=%' LIMIT 1
$function$;

-- Only roles that may replicate register; there is no grant, so that the role can be dropped.
-- What a segment hears back is what it remembers: evidence when the master is lost.
CREATE FUNCTION hawq_mirroring_register(
    hostname text, port integer, trouble text,
    OUT master text, OUT timeline integer, OUT lsn pg_lsn, OUT summary_state text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
INSERT INTO public.hawq_mirroring_segment AS s (hostname, port, address, trouble, reported)
SELECT $1, $2, inet_client_addr(), $3, clock_timestamp()
FROM pg_roles WHERE rolname = session_user AND (rolreplication OR rolsuper)
ON CONFLICT (hostname, port) DO UPDATE
    SET address = excluded.address, trouble = excluded.trouble, reported = excluded.reported;
SELECT public.hawq_mirroring_master(),
       ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int,
       pg_current_wal_lsn(),
       (SELECT summary_state FROM public.gp_master_mirroring);
$function$;

CREATE VIEW gp_segment_configuration AS
SELECT c.* FROM (
SELECT 0 AS registration_order, 'm'::"char" AS role, 'u'::"char" AS status, current_setting('port')::integer AS port,
       coalesce(public.hawq_mirroring_master(), '') AS hostname, coalesce(public.hawq_mirroring_master(), '') AS address,
       '' AS description
WHERE NOT pg_catalog.pg_is_in_recovery()
UNION ALL
SELECT -1, 's'::"char", CASE WHEN summary_state IN ('Synchronized', 'Synchronizing') THEN 'u' ELSE 'd' END::"char",
       current_setting('port')::integer, standby, standby,
       CASE WHEN summary_state = 'Synchronized' THEN '' ELSE concat_ws(': ', summary_state, detail_state, error_message) END
FROM public.hawq_mirroring_state() WHERE NOT pg_catalog.pg_is_in_recovery()
UNION ALL
SELECT registration_order, 'p'::"char",
       CASE WHEN trouble = '' AND reported > clock_timestamp() - interval '60 seconds' THEN 'u' ELSE 'd' END::"char",
       port, hostname, coalesce(host(address), ''),
       CASE WHEN reported = '-infinity' THEN 'has not reported to this master yet'
            WHEN reported <= clock_timestamp() - interval '60 seconds'
            THEN format('heartbeat timeout: last heard of at %s', reported) ELSE trouble END
FROM public.hawq_mirroring_segment) c
ORDER BY registration_order > 0, abs(registration_order);

COMMENT ON VIEW gp_segment_configuration IS 'Master, standby and segments as they are now (segments in database postgres)';
GRANT SELECT ON gp_segment_configuration TO PUBLIC;
