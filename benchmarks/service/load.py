"""Fifty people at work for five minutes: ``python -m benchmarks.service.load [SECONDS] [sqlite|postgresql]``.

Forty readers and ten coordinators, each with a token and a connection of their own, ask the real server
process about a trial of 63 subjects x 18 timepoints x 2 readers, of which the last three timepoints still
wait. A reader takes a timepoint from the worklist, opens it, draws each target twice with a preview after
each, answers the non-target, and signs with the password at its real cost (argon2id, 64 MiB). A coordinator
turns the pages of calendar and timepoints, looks at subjects, cohort and statistics, and now and then asks a
site. Everybody waits 1 to 3 seconds between two requests, which is faster than people read or draw: 50 people
send some 25 requests a second. A slot has one account, by which twenty people read; no two of them share a
subject, so that every answer of 400 or above is a fault. No pixels are asked for: `benchmarks.dicomweb` does.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import psutil

from benchmarks.service.trials import DATABASES, loaded_service, people
from tests.builders.cohort import TRIAL, Size
from tests.builders.service import PASSWORD, TestService

READERS = 40
COORDINATORS = 10
SLOTS = 2
THINKS_SECONDS = (1.0, 3.0)
ARRIVE_WITHIN_SECONDS = 45.0
"""About as long as a read takes: nobody is at the same place of it as all the others."""
DRAWN_TIMES = 2
GOAL_MS = 150.0
SIZE = Size(subjects=63, unread_every=1, unread=3)


@dataclass(kw_only=True)
class Figures:
    """What everybody measured."""

    times: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds by what was asked."""
    faults: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0
    """Of the server's process."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, answer: httpx.Response, milliseconds: float) -> None:
        """Note one request."""
        with self.lock:
            self.times.setdefault(what, []).append(milliseconds)
            if answer.status_code >= 400:
                self.faults.append(f"{what}: {answer.status_code} {answer.text[:200]}")


@dataclass(kw_only=True)
class Person:
    """One account with its connection."""

    client: httpx.Client
    figures: Figures
    chance: random.Random
    until: float
    own: frozenset[str] = frozenset()
    """Reading ids of the subjects that this reader reads."""

    def ask(self, what: str, path: str, method: str = "GET", **arguments: Any) -> httpx.Response:  # noqa: ANN401  httpx's
        """Think, send a request, and note how long the answer took."""
        time.sleep(self.chance.uniform(*THINKS_SECONDS))
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid4())}
        began = time.perf_counter()
        answer = self.client.request(
            method, f"/api/v1{path}", headers=headers | arguments.pop("headers", {}), **arguments
        )
        self.figures.note(what, answer, (time.perf_counter() - began) * 1000)
        return answer

    @property
    def goes_home(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.until


def reads(person: Person) -> None:
    """Read one timepoint as a reader does, from the worklist to the signature."""
    items = person.ask("worklist", "/worklist?limit=100").json()["items"]
    waiting = [each for each in items if each["reading_id"] in person.own]
    if not waiting:
        return
    timepoint = f"/timepoints/{person.chance.choice(waiting)['timepoint_id']}"
    read = person.ask("open read", f"{timepoint}/reads", "POST").json()
    series = person.ask("series", f"{timepoint}/series").json()["series"]
    image = series[0]["instances"][0]["sop_instance_uid"]
    person.ask("earlier reads", f"/reads/{read['read_id']}/earlier")
    for prior in read["followed"]:
        if person.goes_home:
            return
        _answer(person, read["read_id"], prior, image)
    person.ask("draft", f"/reads/{read['read_id']}")
    body = {"password": PASSWORD, "meaning": "I confirm this read."}
    person.ask("sign", f"/reads/{read['read_id']}/signature", "POST", json=body)
    person.ask("assessment", f"/reads/{read['read_id']}/assessment")


def _answer(person: Person, read_id: str, prior: Mapping[str, Any], image: str) -> None:
    """Answer one lesion that is followed; a target is drawn, looked at, and drawn again."""
    place = f"/reads/{read_id}/lesions/{prior['lesion_id']}"
    if prior["role"] == "non_target":
        person.ask("enter lesion", place, "PUT", json={"state": "present"})
        return
    headers: dict[str, str] = {}
    for _ in range(DRAWN_TIMES):
        drawn = person.ask("enter lesion", place, "PUT", json=_drawing(person, prior, image), headers=headers)
        headers = {"If-Match": drawn.headers["etag"]}
        person.ask("preview", f"/reads/{read_id}/assessment/preview")


def _drawing(person: Person, prior: Mapping[str, Any], image: str) -> dict[str, Any]:
    length = float(prior["last_mm"] or 10) * person.chance.uniform(1.9, 2.0)  # pixels of 0.5 mm
    axes = {"long_axis": [[50.0, 100.0], [50.0 + length * 1.25, 100.0]]}
    if prior["is_nodal"]:
        middle = 50.0 + length * 1.25 / 2
        axes["short_axis"] = [[middle, 100 - length / 2], [middle, 100 + length / 2]]
    shapes = {name: {"sop_instance_uid": image, "points": points} for name, points in axes.items()}
    return {"state": "measured", **shapes}


def coordinates(person: Person) -> None:
    """Go through the trial as a coordinator does."""
    trial = f"/trials/{TRIAL}"
    cursor = ""
    for _ in range(2):
        page = person.ask("calendar", f"{trial}/calendar?limit=20{cursor}").json()
        cursor = f"&cursor={page['next_cursor']}"
    subject = person.chance.choice(page["items"])["subject_id"]
    person.ask("calendar counts", f"{trial}/calendar/counts")
    person.ask("subject's calendar", f"{trial}/calendar?subject={subject}")
    person.ask("overdue", f"{trial}/timepoints/overdue")
    person.ask("timepoints", f"{trial}/timepoints?limit=50")
    person.ask("subjects", f"{trial}/subjects?limit=50")
    person.ask("outcomes", f"{trial}/outcomes")
    person.ask("subject's outcomes", f"{trial}/subjects/{subject}/outcomes")
    person.ask("statistics", f"{trial}/readers/statistics")
    person.ask("discordant", f"{trial}/reads/discordant")
    body = {"code": "other", "text": "When was the examination?", "subject_id": subject}
    person.ask("ask site", f"{trial}/site_queries", "POST", json=body)


@contextmanager
def server(url: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run the service's own server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.service.serving", url]
    with subprocess.Popen(
        command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101
        try:
            address = process.stdout.readline().strip()
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield address, psutil.Process(process.pid)
        finally:
            process.terminate()


def load(service: TestService, url: str, seconds: float) -> Figures:
    """Let fifty people work for this long."""
    figures = Figures()
    readers, coordinators = people(service, SLOTS, COORDINATORS)
    subjects = service.get(f"/trials/{TRIAL}/subjects?limit=500", coordinators[0]).json()["items"]
    staff = [(readers[place % SLOTS], reads) for place in range(READERS)]
    staff += [(account, coordinates) for account in coordinators]
    tokens = [_signed_in(service, account) for account, _ in staff]
    with server(url) as (address, process):
        until = time.monotonic() + seconds

        def work(place: int, account: str, deed: Callable[[Person], None]) -> None:
            chance = random.Random(place)  # noqa: S311  when people click, no secret
            own = frozenset(each["reading_id"] for each in subjects[place // SLOTS :: READERS // SLOTS])
            with httpx.Client(base_url=address, headers=tokens[place], timeout=60) as client:
                person = Person(client=client, figures=figures, chance=chance, until=until, own=own)
                time.sleep(chance.uniform(0, min(ARRIVE_WITHIN_SECONDS, seconds)))
                while not person.goes_home:
                    try:
                        deed(person)
                    except (httpx.HTTPError, LookupError) as error:
                        figures.faults.append(f"{account}: {error!r}")

        threads = [
            threading.Thread(target=work, args=(place, account, deed))
            for place, (account, deed) in enumerate(staff)
        ]
        before = process.cpu_times()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = process.cpu_times()
        figures.cpu_seconds = after.user + after.system - before.user - before.system
    return figures


def _signed_in(service: TestService, account: str) -> dict[str, str]:
    service.forget_tokens()
    return service.headers(account)


def tell(figures: Figures, seconds: float) -> None:
    """Print what came out."""
    every = [each for times in figures.times.values() for each in times]
    for what, times in [*sorted(figures.times.items()), ("all", every)]:
        middle, most, nearly_all = (_quantile(times, share) for share in (0.50, 0.95, 0.99))
        print(f"  {what:20} {len(times):6}  p50 {middle:7.1f}  p95 {most:7.1f}  p99 {nearly_all:7.1f} ms")
    print(
        f"  goal: p95 below {GOAL_MS:.0f} ms; {len(every) / seconds:.1f} requests/s; the server's CPU "
        f"{figures.cpu_seconds / len(every) * 1000:.1f} ms a request; {len(figures.faults)} faults"
    )
    for fault in figures.faults[:10]:
        print(f"    {fault}")


def _quantile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def main() -> None:
    """Load each kind of database."""
    seconds = next((float(each) for each in sys.argv[1:] if each.isdigit()), 300.0)
    kinds = [each for each in sys.argv[1:] if each in DATABASES] or DATABASES
    for kind in kinds:
        with loaded_service(kind, SIZE) as service:
            url = service.database.url.render_as_string(hide_password=False).replace("+pysqlite", "")
            print(f"{kind}: {READERS + COORDINATORS} people for {seconds:.0f} s", flush=True)
            tell(load(service, url.replace("+psycopg", ""), seconds), seconds)


if __name__ == "__main__":
    main()
