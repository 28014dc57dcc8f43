"""The names of what is measured, as the table and the targets say them."""

SERVERS = {"ours": "ours", "stock": "stock", "fasttrackml": "FastTrackML", "floor": "floor"}

CREATE = "create"
LOG_METRIC = "log-metric"
LOG_PARAMETER = "log-parameter"
LOG_BATCH = "log-batch of {:,}"
GET = "get"
SEARCH = "search, 100 of {:,}"
HISTORY = "get-history of 10,000 points"

CLIENT = "client"
LOOP = "client: {:,} log_metric calls"
AUTOLOG = "client: autolog of a fit"

BYTES_PER_POINT = "stored per metric point"
BYTES_AT_WORST = "bytes per metric point, {} candidates at once"
MEMORY = "memory of all processes"

SEARCH_TIME = "median milliseconds of a search, 100 of {:,}, one client"
SEARCH_FLATNESS = "search in the large experiment / in 1,000"
LOG_TIME = "median milliseconds of log-metric after {:,} points, one client"
LOG_FLATNESS = "log-metric into the longest history / into an empty one"
CURVE_TIME = "milliseconds of a curve of {:,} points"
CURVE_BYTES = "bytes of a curve of {:,} points"
CURVE_SLOWNESS = "time of a curve of the longest history / of 10,000 points"
CURVE_GROWTH = "bytes of a curve of the longest history / of 10,000 points"
WORKER_MEMORY = "MB of a worker {} the plugin"
MEMORY_ADDED = "MB that the plugin adds to a worker"
START_TIME = "seconds to start an application {} the plugin"
START_ADDED = "seconds that the plugin adds to the start"
