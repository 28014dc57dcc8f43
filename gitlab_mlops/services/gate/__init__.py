"""The gate: whether the candidates of a merge request are good enough for its target branch."""
