"""`make demo`: a forge with the plugin, a training with the stock MLflow client, and addresses."""
