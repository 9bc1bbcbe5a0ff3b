"""How long each answer about a whole trial takes: ``python -m benchmarks.service.answers [SUBJECTS…]``."""

import statistics
import sys
from time import perf_counter

from benchmarks.service.trials import DATABASES, loaded_service, seats
from imaging_service.http.server import settle
from tests.builders.cohort import TRIAL, Size
from tests.builders.service import TestService

ASKED = (
    ("reader1", "/worklist"),
    ("reader2", "/worklist?limit=500"),
    ("adjudicator", "/adjudications"),
    ("sponsor", f"/trials/{TRIAL}/outcomes"),
    ("sponsor", f"/trials/{TRIAL}/outcomes?view=accepted"),
    ("coordinator", f"/trials/{TRIAL}/reads/discordant"),
    ("coordinator", f"/trials/{TRIAL}/readers/statistics"),
    ("coordinator", f"/trials/{TRIAL}/evaluations/comparison"),
    ("coordinator", f"/trials/{TRIAL}/subjects"),
    ("coordinator", f"/trials/{TRIAL}/reviews"),
    ("coordinator", f"/trials/{TRIAL}/assessments"),
    ("coordinator", f"/trials/{TRIAL}/assessments?response=PD"),
    ("coordinator", f"/trials/{TRIAL}/evaluations"),
    ("coordinator", f"/trials/{TRIAL}/calendar"),
    ("coordinator", f"/trials/{TRIAL}/calendar?status=overdue"),
    ("coordinator", f"/trials/{TRIAL}/calendar?status=read"),
    ("coordinator", f"/trials/{TRIAL}/calendar/counts"),
    ("coordinator", f"/trials/{TRIAL}/timepoints"),
    ("coordinator", f"/trials/{TRIAL}/timepoints/overdue"),
    ("coordinator", f"/trials/{TRIAL}/timepoints?response=PD"),
    ("coordinator", "/accounts/me"),
)
ROUNDS = 7


def measure(service: TestService, account: str, path: str) -> tuple[float, float, int]:
    """Return the median and the longest time in ms, and the size of the answer in bytes."""
    times = []
    answer = service.get(path, account)
    for _ in range(ROUNDS):
        began = perf_counter()
        answer = service.get(path, account)
        times.append((perf_counter() - began) * 1000)
        if answer.status_code != 200:
            message = f"{path}: {answer.status_code} {answer.text[:300]}"
            raise SystemExit(message)
    return statistics.median(times), max(times), len(answer.content)


def main() -> None:
    """Print a table for each database and size."""
    sizes = [int(each) for each in sys.argv[1:] if each.isdigit()] or [63, 10_000]
    kinds = [each for each in sys.argv[1:] if each in DATABASES] or DATABASES
    for kind in kinds:
        for subjects in sizes:
            with loaded_service(kind, Size(subjects=subjects)) as service:
                seats(service)
                settle()
                print(f"{kind}, {subjects} subjects: median and longest of {ROUNDS}, ms; bytes")
                for account, path in ASKED:
                    median, longest, size = measure(service, account, path)
                    print(f"  {median:8.1f} {longest:8.1f} {size:9}  {path}", flush=True)


if __name__ == "__main__":
    main()
