-- Logs: each class in partitions of its own, which go as a whole when they are old enough.
BEGIN;
SELECT plan(19);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset

SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.log('application', 'info', 'signed in', '{"from": "web"}')$$), NULL,
          'users log');
SELECT is(pg_temp.as_role('service_role', NULL, $$SELECT vrm.log('error', 'error', 'disk on fire')$$), NULL,
          'so does the service');
SELECT is((SELECT string_agg(concat_ws(' ', class, level, user_id = :'alice', message, data), ', ' ORDER BY class)
           FROM vrm.logs),
          'application info t signed in {"from": "web"}, error error disk on fire',
          'for whom is told by the database, not by the caller');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.logs'), '42501', 'users do not read logs');
SELECT is(pg_temp.as_user(:'alice',
                          format('INSERT INTO vrm.logs (class, level, message) VALUES (%L, %L, %L)', 'error', 'info',
                                 'x')), '42501', 'nor write them by hand');
SELECT is(pg_temp.as_anon($$SELECT vrm.log('application', 'info', 'x')$$), '42501', 'anon does not log');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm.logs'), '2', 'the service reads them');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.log(%s)', bad)), '22023', 'refused: ' || left(bad, 40))
FROM unnest(ARRAY['''gossip'', ''info'', ''x''', '''error'', ''fatal'', ''x''', '''error'', ''info'', ''''',
                  '''error'', ''info'', ''much'', (SELECT to_jsonb(string_agg(md5(i::text), '''')) FROM '
                  'generate_series(1, 4000) AS i)']) AS bad;
SELECT isnt((SELECT DISTINCT tableoid::regclass::text FROM vrm.logs WHERE class = 'application'),
            'vrm.logs_application_rest', 'today has a partition');

SELECT vrm_private.make_partition('vrm.logs_application', 'logs_application_old', '2020-01-01', '2020-01-02'),
       vrm_private.make_partition('vrm.logs_application', 'logs_application_new', now() - interval '80 days',
                                  now() - interval '79 days') \g /dev/null
INSERT INTO vrm.logs (class, level, message, at)
    VALUES ('application', 'info', 'old', '2020-01-01 12:00+00'),
        ('application', 'info', 'old, homeless', '2020-05-05'),
           ('application', 'info', 'new enough', now() - interval '79 days 1 hour'),
               ('error', 'error', 'errors stay longer', now() - interval '100 days');
SELECT is((SELECT string_agg(policy_name || ' ' || due_rows, ', ' ORDER BY policy_name) FROM vrm.retention_preview()
           WHERE policy_name LIKE 'logs%'),
          'logs.analytics 0, logs.application 2, logs.error 0', 'what is due');
UPDATE vrm.logs SET user_id = :'alice' WHERE message = 'old';
SELECT vrm.place_hold('case', user_id => :'alice', until => '2020-02-01') AS hold \gset
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('logs.application')), '1 1',
          'not the partition with something under a hold');
UPDATE vrm.logs SET user_id = :'alice' WHERE message = 'old, homeless';
SELECT vrm.place_hold('case', user_id => :'alice') AS hold_all \gset
SELECT is(vrm.retention_step((vrm_private.begin_retention_run('logs.application')).run_id, 0, 0, 1), 0::bigint,
          'nor a row that has none');
SELECT vrm.release_hold(:hold), vrm.release_hold(:hold_all) \g /dev/null
SELECT is(vrm.retention_step((vrm_private.begin_retention_run('logs.application')).run_id, 0, 0, 1), 2::bigint, 'goes');
SELECT is(to_regclass('vrm.logs_application_old'), NULL, 'with its partition');
SELECT is((SELECT string_agg(message, ', ' ORDER BY at) FROM vrm.logs WHERE class = 'application'),
          'new enough, signed in', 'and nothing else');
SELECT is((SELECT count(*) FROM vrm.logs WHERE class = 'error'), 2::bigint, 'of no other class');

SELECT * FROM finish();
ROLLBACK;
