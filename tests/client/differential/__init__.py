"""The same raw calls to a stock MLflow server and to ours; their answers must be alike."""
