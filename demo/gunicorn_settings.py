"""How the demo is served. `--bind` and the application come from `demo/server.py`."""

workers = 2
threads = 4
# MLflow asks for up to 100 runs in one query; gunicorn's own limit is 4,094 bytes.
limit_request_line = 8190
accesslog = None
# Newer gunicorns would leave a socket in the home folder; older ones ignore this.
control_socket_disable = True
