"""Fifty people at work for five minutes: ``python -m benchmarks.service.load [SECONDS] [sqlite|postgresql]``.

Forty readers' and ten coordinators' connections against the real server process, on a trial of 63 subjects
x 18 timepoints x 2 readers: worklist, open read, lesions, preview, answers, calendar, cohort, and now and
then a signature. Each person waits a moment between two requests, as people do.
"""

import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.service.trials import DATABASES, loaded_service
from tests.builders.cohort import TRIAL
from tests.builders.service import PASSWORD, TestService

PEOPLE = 50
READERS = 40
PAUSE_SECONDS = (0.5, 1.5)
GOAL_MS = 150.0


@dataclass(kw_only=True)
class Figures:
    """What everybody measured."""

    times: dict[str, list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, answer: httpx.Response, milliseconds: float) -> None:
        """Note one request."""
        with self.lock:
            self.times.setdefault(what, []).append(milliseconds)
            if answer.status_code >= 500 or answer.status_code in {401, 403, 429}:
                self.faults.append(f"{what}: {answer.status_code} {answer.text[:200]}")


@dataclass(kw_only=True)
class Person:
    """One connection with one token."""

    client: httpx.Client
    figures: Figures
    chance: random.Random

    def ask(self, what: str, method: str, path: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401  httpx's
        """Send a request, note how long it took, and wait a moment."""
        began = time.perf_counter()
        answer = self.client.request(method, f"/api/v1{path}", **arguments)
        self.figures.note(what, answer, (time.perf_counter() - began) * 1000)
        time.sleep(self.chance.uniform(*PAUSE_SECONDS))
        return answer


def reads(person: Person) -> None:
    """Work as a reader does: the list, a read, lesions, what would follow, and sometimes a signature."""
    items = person.ask("worklist", "GET", "/worklist?limit=100").json().get("items", [])
    if not items:
        return
    item = person.chance.choice(items)
    opened = person.ask("open read", "POST", f"/timepoints/{item['timepoint_id']}/reads")
    if opened.status_code not in {200, 201}:
        return
    read = opened.json()
    person.ask("series", "GET", f"/timepoints/{item['timepoint_id']}/series")
    known = {each["lesion_id"]: each["version"] for each in read["lesions"]}
    for prior in read["followed"]:
        name = prior["lesion_id"]
        headers = {"If-Match": f'"{known[name]}"'} if name in known else {}
        person.ask("enter lesion", "PUT", f"/reads/{read['read_id']}/lesions/{name}", json=_entry(prior),
                   headers=headers)  # fmt: skip
    person.ask("draft", "GET", f"/reads/{read['read_id']}")
    person.ask("preview", "GET", f"/reads/{read['read_id']}/assessment/preview")
    if person.chance.random() < 0.2:
        body = {"password": PASSWORD, "meaning": "I confirm this read."}
        person.ask("sign", "POST", f"/reads/{read['read_id']}/signature", json=body)
        person.ask("assessment", "GET", f"/reads/{read['read_id']}/assessment")


def _entry(prior: dict[str, Any]) -> dict[str, Any]:
    if prior["role"] == "non_target":
        return {"state": "present"}
    return {"state": "too_small"}


def coordinates(person: Person) -> None:
    """Look at lists, one subject, and the cohort."""
    found = person.ask("subjects", "GET", f"/trials/{TRIAL}/subjects?limit=100").json()["items"]
    subject = person.chance.choice(found)["subject_id"]
    person.ask("subject's calendar", "GET", f"/trials/{TRIAL}/subjects/{subject}/calendar")
    person.ask("overdue", "GET", f"/trials/{TRIAL}/timepoints/overdue")
    person.ask("timepoints", "GET", f"/trials/{TRIAL}/timepoints?limit=100")
    person.ask("outcomes", "GET", f"/trials/{TRIAL}/outcomes")
    person.ask("subject's outcomes", "GET", f"/trials/{TRIAL}/subjects/{subject}/outcomes")
    person.ask("statistics", "GET", f"/trials/{TRIAL}/readers/statistics")
    person.ask("discordant", "GET", f"/trials/{TRIAL}/reads/discordant")


@contextmanager
def server(url: str) -> Iterator[str]:
    """Run the service's own server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.service.serving", url]
    with subprocess.Popen(
        command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101
        try:
            address = process.stdout.readline().strip()
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield address
        finally:
            process.terminate()


def load(service: TestService, url: str, seconds: float) -> Figures:
    """Let fifty people work for this long."""
    figures = Figures()
    accounts = [f"reader{place % 2 + 1}" if place < READERS else "coordinator" for place in range(PEOPLE)]
    tokens = {account: service.headers(account) for account in set(accounts)}
    with server(url) as address:
        until = time.monotonic() + seconds

        def work(place: int, account: str) -> None:
            deed: Callable[[Person], None] = coordinates if account == "coordinator" else reads
            with httpx.Client(base_url=address, headers=tokens[account], timeout=60) as client:
                person = Person(client=client, figures=figures, chance=random.Random(place))  # noqa: S311
                while time.monotonic() < until:
                    try:
                        deed(person)
                    except httpx.HTTPError as error:
                        figures.faults.append(f"{account}: {error!r}")

        threads = [threading.Thread(target=work, args=each) for each in enumerate(accounts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return figures


def tell(figures: Figures, seconds: float) -> None:
    """Print what came out."""
    every = [each for times in figures.times.values() for each in times]
    for what, times in sorted(figures.times.items()):
        print(
            f"  {what:20} {len(times):6}  median {statistics.median(times):7.1f}  p95 {_p95(times):7.1f} ms"
        )
    print(
        f"  {'all':20} {len(every):6}  median {statistics.median(every):7.1f}  p95 {_p95(every):7.1f} ms "
        f"(goal {GOAL_MS:.0f}); {len(every) / seconds:.1f} requests/s; {len(figures.faults)} faults"
    )
    for fault in figures.faults[:10]:
        print(f"    {fault}")


def _p95(times: list[float]) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def main() -> None:
    """Load each kind of database."""
    seconds = next((float(each) for each in sys.argv[1:] if each.isdigit()), 300.0)
    kinds = [each for each in sys.argv[1:] if each in DATABASES] or DATABASES
    for kind in kinds:
        with loaded_service(kind, 63) as service:
            url = service.database.url.render_as_string(hide_password=False).replace("+pysqlite", "")
            print(f"{kind}: {PEOPLE} people for {seconds:.0f} s", flush=True)
            tell(load(service, url.replace("+psycopg", ""), seconds), seconds)


if __name__ == "__main__":
    main()
