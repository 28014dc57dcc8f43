-- Points of one metric of one candidate in our own schema.
INSERT INTO mlops_metric_keys (project_id, key) VALUES (%(project)s, %(key)s)
ON CONFLICT DO NOTHING;

WITH series AS (
    INSERT INTO mlops_metric_series (
        candidate_id, experiment_id, key_id, step, timestamp, value, lowest, highest
    )
    SELECT c.id, c.experiment_id, k.id, %(count)s, %(start)s + %(count)s, %(count)s / 7.0,
        1 / 7.0, %(count)s / 7.0
    FROM mlops_candidates c JOIN mlops_metric_keys k ON k.project_id = c.project_id
    WHERE c.eid = %(eid)s AND k.key = %(key)s
    RETURNING id
)
INSERT INTO mlops_metric_points (series_id, timestamp, step, value)
SELECT series.id, %(start)s + s, s, s / 7.0
FROM generate_series(1, %(count)s) s, series;
