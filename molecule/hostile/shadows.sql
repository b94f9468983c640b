-- What a role that may create in schema public can put there: functions and operators that fit better than the
-- server's own wherever those need a cast. Each ends the statement that calls it.
SET search_path = pg_catalog;
CREATE FUNCTION public.caught(word text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'SHADOW of % was called', word;
END $$;

CREATE TEMPORARY TABLE types AS SELECT unnest('{text,varchar,name,"char",integer,bigint,numeric,boolean,inet,cidr,
    timestamptz,timestamp,interval,pg_lsn,oid}'::text[]) AS type;

-- every function that the extension's files could mean: each word before a parenthesis that the server knows
CREATE TEMPORARY TABLE words AS SELECT DISTINCT p.proname::text AS word FROM pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY (string_to_array(:'words', ','));

DO $$
DECLARE
    word text;
    arguments text;
    made integer := 0;
BEGIN
    FOR word, arguments IN
        SELECT w.word, a.arguments FROM words w, (
            SELECT '' UNION ALL SELECT type FROM types
            UNION ALL SELECT a.type || ', ' || b.type FROM types a, types b
            UNION ALL SELECT concat_ws(', ', a.type, b.type, c.type) FROM types a, types b, types c
                WHERE NOT 'cidr' IN (a.type, b.type, c.type) AND NOT 'numeric' IN (a.type, b.type, c.type)
                  AND NOT 'timestamp' IN (a.type, b.type, c.type)
            UNION ALL SELECT 'text, text, text, text'
            UNION ALL SELECT 'text, text, text, VARIADIC text[]'
            UNION ALL SELECT 'text, VARIADIC text[]') a(arguments)
    LOOP
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS text LANGUAGE sql AS $f$ SELECT public.caught(%L)::text $f$',
                       word, arguments, word);
        made := made + 1;
    END LOOP;
    RAISE NOTICE '% functions', made;
END $$;

DO $$
DECLARE
    left_type text;
    right_type text;
    sign text;
    made integer := 0;
BEGIN
    FOR left_type, right_type IN SELECT a.type, b.type FROM types a, types b LOOP
        EXECUTE format('CREATE FUNCTION public.caught_operator(%s, %s) RETURNS boolean LANGUAGE sql AS'
                       ' $f$ SELECT public.caught(''an operator'') $f$', left_type, right_type);
        FOREACH sign IN ARRAY '{=,<>,<,>,<=,>=,+,-,*,||,~~,~}'::text[] LOOP
            EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.caught_operator)',
                           sign, left_type, right_type);
            made := made + 1;
        END LOOP;
    END LOOP;
    RAISE NOTICE '% operators', made;
END $$;
