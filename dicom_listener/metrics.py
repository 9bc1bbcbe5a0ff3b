"""The listener's figures (Prometheus); none of their labels names a patient, an instance or a peer.

With several processes `PROMETHEUS_MULTIPROC_DIR` names a folder in which their figures add up.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
_PREFIX = "dicom_listener"
_STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)

CONNECTIONS = Gauge(
    "connections_open",
    "Connections open now, with or without an association.",
    namespace=_PREFIX,
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
ASSOCIATIONS = Gauge(
    "associations_open",
    "Associations of known senders open now.",
    namespace=_PREFIX,
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
REQUESTS = Counter(
    "association_requests",
    "Association requests by what became of them.",
    ["outcome"],
    namespace=_PREFIX,
    registry=REGISTRY,
)
ENDINGS = Counter(
    "connections_ended",
    "Connections that the listener ended, by the reason.",
    ["reason"],
    namespace=_PREFIX,
    registry=REGISTRY,
)
INSTANCES = Counter(
    "instances", "C-STORE requests by their outcome.", ["outcome"], namespace=_PREFIX, registry=REGISTRY
)
REFUSALS = Counter(
    "instances_refused", "Instances refused, by the reason.", ["reason"], namespace=_PREFIX, registry=REGISTRY
)
BYTES = Counter("received_bytes", "Bytes of data sets received.", namespace=_PREFIX, registry=REGISTRY)
STAGES = Histogram(
    "store_seconds",
    "How long a C-STORE takes: 'receive' for its data set, 'keep' until it is durable.",
    ["stage"],
    namespace=_PREFIX,
    registry=REGISTRY,
    buckets=_STAGE_BUCKETS,
)
SERVICES = Counter(
    "requests_served",
    "Requests other than C-STORE, by service.",
    ["service"],
    namespace=_PREFIX,
    registry=REGISTRY,
)
SETTLED = Counter("studies_settled", "Studies settled.", namespace=_PREFIX, registry=REGISTRY)
LAST_SETTLED = Gauge(
    "last_settled_timestamp_seconds",
    "When a study was last settled.",
    namespace=_PREFIX,
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
CLOCK_STEPS = Counter(
    "clock_steps", "Steps of the wall clock, forward or back.", namespace=_PREFIX, registry=REGISTRY
)
