-- Points of one metric of one candidate in MLflow's schema.
INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT %(key)s, s / 7.0, %(start)s + s, s, false, %(eid)s
FROM generate_series(1, %(count)s) s;

INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
VALUES (%(key)s, %(count)s / 7.0, %(start)s + %(count)s, %(count)s, false, %(eid)s);
