-- Candidates of an experiment in MLflow's schema.
INSERT INTO runs (
    run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
    end_time, source_version, lifecycle_stage, artifact_uri, experiment_id
)
SELECT md5(%(name)s || '-' || n), %(name)s || '-' || n, 'UNKNOWN', '', '', 'bench', 'FINISHED',
    %(start)s + n, %(start)s + n + 1000, '', 'active', e.artifact_location || '/' || n,
    e.experiment_id
FROM generate_series(1, %(count)s) n, experiments e
WHERE e.experiment_id = %(experiment)s;

INSERT INTO params (key, value, run_uuid)
SELECT 'p' || i, CASE i WHEN 3 THEN mod(n, 4) ELSE i END, md5(%(name)s || '-' || n)
FROM generate_series(1, %(count)s) n, generate_series(0, 19) i
ORDER BY 3, 1;

INSERT INTO tags (key, value, run_uuid)
SELECT 't' || i, i::text, md5(%(name)s || '-' || n)
FROM generate_series(1, %(count)s) n, generate_series(0, 4) i
UNION ALL
SELECT 'mlflow.runName', %(name)s || '-' || n, md5(%(name)s || '-' || n)
FROM generate_series(1, %(count)s) n
ORDER BY 3, 1;

INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT 'm' || i, mod(n * (i + 1), 997) / 997.0, %(start)s + %(steps)s, %(steps)s, false,
    md5(%(name)s || '-' || n)
FROM generate_series(1, %(count)s) n, generate_series(0, 9) i
ORDER BY 6, 1;

INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT 'm' || i, mod(n * (i + 1), 997) / 997.0, %(start)s + s, s, false,
    md5(%(name)s || '-' || n)
FROM generate_series(1, %(steps)s) s, generate_series(1, %(count)s) n, generate_series(0, 9) i
ORDER BY div(n - 1, %(at_once)s), s, n, i;
