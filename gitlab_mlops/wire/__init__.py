"""MLflow's JSON: what requests say, what answers look like, and nothing of how it is stored."""
