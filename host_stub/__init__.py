"""The smallest real forge: users, projects, issues, merge requests, CI, and the plugin mounted."""

from host_stub.app import create_app

__all__ = ["create_app"]
