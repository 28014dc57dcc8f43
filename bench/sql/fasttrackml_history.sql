-- Points of one metric of one candidate in FastTrackML's schema.
INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid, iter, context_id)
SELECT %(key)s, s / 7.0, %(start)s + s, s, false, %(eid)s, s, c.id
FROM generate_series(1, %(count)s) s, contexts c
WHERE c.json = '{}';

INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid, last_iter, context_id)
SELECT %(key)s, %(count)s / 7.0, %(start)s + %(count)s, %(count)s, false, %(eid)s, %(count)s, c.id
FROM contexts c
WHERE c.json = '{}';
