"""Libraries of others that the pages load: which ones, from where, and unchanged."""
