-- Candidates of an experiment in our own schema.
WITH counted AS (
    UPDATE mlops_projects SET candidates = candidates + %(count)s
    WHERE project_id = %(project)s
    RETURNING candidates - %(count)s AS before
)
INSERT INTO mlops_candidates (
    project_id, experiment_id, iid, eid, name, status, user_id, actor_id, start_time, end_time,
    created_at
)
SELECT e.project_id, e.id, counted.before + n, md5(%(name)s || '-' || n), %(name)s || '-' || n,
    3, 'bench', %(actor)s, %(start)s + n, %(start)s + n + 1000, %(start)s + n
FROM generate_series(1, %(count)s) n, counted, mlops_experiments e
WHERE e.project_id = %(project)s AND e.iid = %(experiment)s
ORDER BY n;

CREATE TEMPORARY TABLE made AS
SELECT c.id, c.experiment_id, n
FROM generate_series(1, %(count)s) n
JOIN mlops_candidates c ON c.eid = md5(%(name)s || '-' || n);
ANALYZE made;

INSERT INTO mlops_params (candidate_id, experiment_id, key, value)
SELECT id, experiment_id, 'p' || i, CASE i WHEN 3 THEN mod(n, 4) ELSE i END
FROM made, generate_series(0, 19) i
ORDER BY 1, 3;

INSERT INTO mlops_candidate_tags (candidate_id, key, value)
SELECT id, 't' || i, i::text
FROM made, generate_series(0, 4) i
UNION ALL
SELECT id, 'mlflow.runName', %(name)s || '-' || n FROM made
ORDER BY 1, 2;

INSERT INTO mlops_metric_keys (project_id, key)
SELECT %(project)s, 'm' || i
FROM generate_series(0, 9) i
ON CONFLICT DO NOTHING;

INSERT INTO mlops_metric_series (
    candidate_id, experiment_id, key_id, step, timestamp, value, lowest, highest
)
SELECT made.id, made.experiment_id, k.id, %(steps)s, %(start)s + %(steps)s, v, v, v
FROM made, generate_series(0, 9) i, mlops_metric_keys k,
    LATERAL (SELECT mod(n * (i + 1), 997) / 997.0 AS v) known
WHERE k.project_id = %(project)s AND k.key = 'm' || i
ORDER BY made.id, k.id;

INSERT INTO mlops_metric_points (series_id, timestamp, step, value)
SELECT s.id, %(start)s + p, p, s.value
FROM generate_series(1, %(steps)s) p, made JOIN mlops_metric_series s ON s.candidate_id = made.id
ORDER BY div(n - 1, %(at_once)s), p, s.id;

DROP TABLE made;
