-- GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
\echo Use "ALTER EXTENSION hawq_mirroring UPDATE" to load this file. \quit

-- As in the whole script: names are looked up among the server's own alone.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The views are replaced and not dropped, since views of others may stand on them. They are the extension's own: the
-- server lets no extension replace what belongs to nobody. In version 1.0 they may have taken names out of public.
CREATE OR REPLACE VIEW public.gp_master_mirroring AS
SELECT s.summary_state, s.detail_state, s.log_time, s.error_message
FROM (SELECT pg_catalog.row_number() OVER (ORDER BY CASE summary_state
                 WHEN 'Not Synchronized' THEN 1 WHEN 'Synchronizing' THEN 2 ELSE 3 END, standby) AS rank,
             summary_state, detail_state, log_time, error_message
      FROM public.hawq_mirroring_state()
      UNION ALL
      SELECT 1000000, 'Not Configured', NULL, NULL, NULL) s
ORDER BY s.rank LIMIT 1;

CREATE OR REPLACE VIEW public.gp_segment_configuration AS
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


DROP FUNCTION public.hawq_mirroring_register(text, integer, text);
CREATE FUNCTION public.hawq_mirroring_register(
    hostname text, port integer, trouble text,
    OUT master text, OUT timeline integer, OUT lsn pg_lsn, OUT summary_state text, OUT system_identifier text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
INSERT INTO public.hawq_mirroring_segment AS s (hostname, port, address, trouble, reported)
VALUES (left($1, 253), $2, inet_client_addr(), left($3, 500), clock_timestamp())
ON CONFLICT (hostname, port) DO UPDATE
    SET address = excluded.address, trouble = excluded.trouble, reported = excluded.reported;
SELECT public.hawq_mirroring_master(),
       ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int,
       pg_current_wal_lsn(),
       (SELECT m.summary_state FROM public.gp_master_mirroring m),
       (SELECT c.system_identifier::text FROM pg_control_system() c);
$function$;
REVOKE EXECUTE ON FUNCTION public.hawq_mirroring_register(text, integer, text) FROM PUBLIC;


-- Segments of version 1.0 log in as the replication role: they go on to register until init_segments.yml changes that.
DO $do$
DECLARE
    role name;
BEGIN
    FOR role IN SELECT r.rolname FROM pg_roles r
        WHERE shobj_description(r.oid, 'pg_authid') = 'made by hawq.mirroring for its standby'
          AND EXISTS (SELECT FROM public.hawq_mirroring_segment)
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION public.hawq_mirroring_register(text, integer, text) TO %I', role);
    END LOOP;
END
$do$;
