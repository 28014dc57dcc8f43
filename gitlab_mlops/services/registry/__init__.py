"""MLflow's model registry: registered models, their versions, and the aliases of these."""
