"""Logged models of MLflow 3: their life, their metrics, and finding them."""
