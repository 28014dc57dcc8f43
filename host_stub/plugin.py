"""The plugin, by the one name that the rest of the forge calls it."""

from gitlab_mlops import MLOps

mlops = MLOps()
