"""MR images in which every known place for an identity is filled, and the answer for each place.

The answers stand in `fixtures/deidentification/actions.csv`, written by hand from PS3.15; the product's own
table is not looked at here.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.sequence import Sequence as Items

ACTIONS = Path(__file__).parents[3] / "fixtures" / "deidentification" / "actions.csv"
ROOT = "1.2.826.0.1.3680043.9.7"
_REPEATING = {"OverlayData": 0x60003000, "OverlayComments": 0x60004000, "OverlayLabel": 0x60001500}
_REPEATING["CurveData"] = 0x50003000


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who never was."""

    number: int
    family: str
    given: str
    mrn: str
    town: str
    doctor: str
    born: str
    first_study_on: date


PEOPLE = (
    Person(
        number=11, family="Zimmerlund", given="Ottilie", mrn="48120011", town="Aldhaven",
        doctor="Quistgaard", born="19510717", first_study_on=date(2024, 1, 30),
    ),
    Person(
        number=12, family="Okonjowska", given="Thandiwe", mrn="48120022", town="Brunswold",
        doctor="Fitzmorten", born="19630228", first_study_on=date(2023, 12, 29),
    ),
    Person(
        number=13, family="Petrosyants", given="Marguerida", mrn="48120033", town="Cravenmoor",
        doctor="Hallbjorn", born="19770101", first_study_on=date(2024, 2, 29),
    ),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Seed:
    """One place of one instance, what was put there, and what must become of it."""

    place: str
    value: str
    expected: str


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """An instance with its seeds."""

    person: Person
    study_on: date
    dataset: Dataset
    seeds: Sequence[Seed]
    secrets: Sequence[str]
    """Strings that may be nowhere in the de-identified bytes."""


def seeded_instances(*, studies: int = 2, instances: int = 4) -> Iterator[Seeded]:
    """Give every person's instances, six weeks between studies."""
    with ACTIONS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for person in PEOPLE:
        for study in range(1, studies + 1):
            study_on = person.first_study_on + timedelta(days=42 * (study - 1))
            for instance in range(1, instances + 1):
                yield _instance(rows, person, study, study_on, instance)


def _instance(
    rows: Sequence[Mapping[str, str]], person: Person, study: int, study_on: date, instance: int
) -> Seeded:
    words = {
        "family": person.family,
        "given": person.given,
        "mrn": person.mrn,
        "town": person.town,
        "doctor": person.doctor,
        "born": person.born,
        "nn": str(10 + instance + 4 * study),
        "weight": f"{50 + person.number}.{instance}",
        "root": f"{ROOT}.{person.number}",
        "study": str(study),
        "series": "5",
        "instance": str(instance),
        "study_on": f"{study_on:%Y%m%d}",
        "later_on": f"{study_on + timedelta(days=3):%Y%m%d}",
        "calibrated_on": f"{study_on - timedelta(days=100):%Y%m%d}",
        "dotted": f"{study_on:%d.%m.%Y}",
    }
    seeds = [
        Seed(place=row["place"], value=row["value"].format(**words), expected=row["expected"]) for row in rows
    ]
    dataset = _pixels(person.number * 100 + study * 10 + instance)
    for seed in seeds:
        if not seed.expected.startswith("is:"):
            _put(dataset, seed.place, seed.value)
    secrets = [
        words[name] for name in ("family", "given", "mrn", "town", "doctor", "born", "study_on", "dotted")
    ]
    return Seeded(
        person=person, study_on=study_on, dataset=dataset, seeds=seeds, secrets=[*secrets, f"{ROOT}."]
    )


def _pixels(seed: int) -> Dataset:
    """Return a valid small MR image of its own."""
    dataset = Dataset()
    pixels = bytes((seed + 7 * index) % 251 if index % 2 == 0 else 1 for index in range(512))
    attributes: dict[str, object] = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "Modality": "MR",
        "Laterality": "",
        "ScanningSequence": "GR",
        "SequenceVariant": "SP",
        "ScanOptions": "FS",
        "MRAcquisitionType": "3D",
        "EchoTrainLength": "1",
        "PatientPosition": "HFP",
        "SeriesNumber": 5,
        "InstanceNumber": seed % 10,
        "ImagePositionPatient": [0, 0, seed % 10],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PositionReferenceIndicator": "",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 16,
        "Columns": 16,
        "PixelSpacing": [0.8, 0.8],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "PixelData": pixels,
    }
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def _put(dataset: Dataset, place: str, value: str) -> None:
    """Put a value where a place says, in the kind of value that stands there."""
    if ":" in place:
        group, creator, element = place.split(":")
        block = dataset.private_block(int(group, 16), creator, create=True)
        vr = "IS" if element == "0C" else "CS" if element == "0D" else "LO"
        block.add_new(int(element, 16), vr, value)
        return
    *sequences, keyword = place.split(">")
    for name in sequences:
        if name not in dataset:
            setattr(dataset, name, Items([Dataset()]))
        dataset = getattr(dataset, name)[0]
    tag = _REPEATING.get(keyword) or tag_for_keyword(keyword)
    assert tag is not None, keyword
    vr = {"OverlayData": "OW", "CurveData": "OW"}.get(keyword) or dictionary_VR(tag)
    if vr in {"OB", "OW", "US", "SQ"}:
        content = value.encode() + b" " * (len(value) % 2)
        dataset.add(DataElement(tag, vr, content if vr != "US" else int(value)))
    else:
        dataset.add(DataElement(tag, vr, value, validation_mode=config.IGNORE))


def found(dataset: Dataset, place: str) -> str | None:
    """Return what stands at a place; None where there is nothing."""
    if ":" in place:
        group, creator, element = place.split(":")
        try:
            return str(dataset.private_block(int(group, 16), creator)[int(element, 16)].value)
        except KeyError:
            return None
    *sequences, keyword = place.split(">")
    for name in sequences:
        if not dataset.get(name):
            return None
        dataset = getattr(dataset, name)[0]
    tag = _REPEATING.get(keyword) or tag_for_keyword(keyword)
    assert tag is not None, keyword
    if tag not in dataset:
        return None
    value = dataset[tag].value
    return str(getattr(value, "original_string", value) if value is not None else "")
