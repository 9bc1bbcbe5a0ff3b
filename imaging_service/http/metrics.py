"""Figures about the service for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The figures of one application; each has its own registry."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "imaging_service_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "imaging_service_request_seconds",
            "Time from the request's head to the end of its answer.",
            ["method", "route"],
            registry=self.registry,
        )
        self.sign_ins = Counter(
            "imaging_service_sign_ins", "Sign-ins by outcome.", ["outcome"], registry=self.registry
        )
        self.passwords_waiting = Gauge(
            "imaging_service_passwords_waiting", "Password checks that wait.", registry=self.registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        method = method if method in _METHODS else "OTHER"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self.registry)
