"""What a lesion is, how it was found, and what is asked when the records do not say."""

import json

import pytest

from tests.imaging_service.cdisc.conftest import read, score_folder

BASELINE, WEEK_6, WEEK_12 = (
    ("1", "BASELINE", "2025-12-29"),
    ("2", "WEEK 6", "2026-02-16"),
    ("3", "WEEK 12", "2026-03-30"),
)


def tr(lesion: str, test: str, result: str, visit: tuple[str, str, str], **more: str) -> dict[str, str]:
    number, name, day = visit
    is_length = result.replace(".", "").isdigit()
    return {
        "USUBJID": "S1",
        "TRLNKID": lesion,
        "TRTESTCD": test,
        "TRORRES": result,
        "TRORRESU": "mm" if is_length else "",
        "TRSTRESC": result,
        "TRSTRESN": result if is_length else "",
        "TRSTRESU": "mm" if is_length else "",
        "TRSTAT": "",
        "TRREASND": "",
        "VISITNUM": number,
        "VISIT": name,
        "TRDTC": day,
        **more,
    }


def tu(
    lesion: str, role: str, location: str = "LIVER", visit: tuple[str, str, str] = BASELINE, **more: str
) -> dict[str, str]:
    number, name, day = visit
    return {
        "USUBJID": "S1",
        "TULNKID": lesion,
        "TUTESTCD": "TUMIDENT",
        "TUORRES": role,
        "TULOC": location,
        "VISITNUM": number,
        "VISIT": name,
        "TUDTC": day,
        **more,
    }


def not_done(
    lesion: str, test: str, visit: tuple[str, str, str], why: str = "NOT EVALUABLE"
) -> dict[str, str]:
    return tr(lesion, test, "", visit, TRSTAT="NOT DONE", TRREASND=why)


LIVER_50 = tr("T01", "LDIAM", "50", BASELINE)

CASES = [
    # Which length counts
    (
        "a node is measured across although both axes are there",
        [tu("T01", "TARGET", "LYMPH NODE")],
        [
            tr("T01", "LDIAM", "40", BASELINE),
            tr("T01", "LPERP", "20", BASELINE),
            tr("T01", "LDIAM", "39", WEEK_6),
            tr("T01", "LPERP", "9", WEEK_6),
        ],
        "CR 9",
        [],
    ),
    (
        "another lesion is measured along although both axes are there",
        [tu("T01", "TARGET")],
        [
            tr("T01", "LDIAM", "40", BASELINE),
            tr("T01", "LPERP", "20", BASELINE),
            tr("T01", "LDIAM", "28", WEEK_6),
            tr("T01", "LPERP", "27", WEEK_6),
        ],
        "PR 28",
        [],
    ),
    (
        "DIAMETER is the short axis of a node",
        [tu("T01", "TARGET", "AXILLARY LYMPH NODE")],
        [tr("T01", "DIAMETER", "20", BASELINE), tr("T01", "DIAMETER", "9", WEEK_6)],
        "CR 9",
        [],
    ),
    (
        "what is only measured across is a node",
        [],
        [tr("T01", "LPERP", "20", BASELINE), tr("T01", "LPERP", "9", WEEK_6)],
        "CR 9",
        [],
    ),
    (
        "a short axis alone in the liver is asked about",
        [tu("T01", "TARGET")],
        [tr("T01", "LPERP", "20", BASELINE), tr("T01", "LPERP", "9", WEEK_6)],
        "CR 9",
        ["short_axis_only"],
    ),
    (
        "a node with a longest diameter only is asked about",
        [tu("T01", "TARGET", "LYMPH NODE")],
        [tr("T01", "LDIAM", "20", BASELINE), tr("T01", "LDIAM", "9", WEEK_6)],
        "CR 9",
        ["long_axis_of_node", "long_axis_of_node"],
    ),
    (
        "centimetres are ten millimetres",
        [],
        [
            tr("T01", "LDIAM", "1.40", BASELINE, TRORRESU="cm", TRSTRESU="cm"),
            tr("T01", "LDIAM", "9.8", WEEK_6),
        ],
        "PR 9.8",
        [],
    ),
    (
        "a length in cm that was standardised to mm is one length",
        [],
        [
            tr("T01", "LDIAM", "1.4", BASELINE, TRORRESU="cm", TRSTRESC="14", TRSTRESN="14", TRSTRESU="mm"),
            tr("T01", "LDIAM", "9.8", WEEK_6),
        ],
        "PR 9.8",
        [],
    ),
    (
        "a length that was standardised wrongly is asked about",
        [],
        [
            tr("T01", "LDIAM", "1.4", BASELINE, TRORRESU="cm", TRSTRESC="1.4", TRSTRESN="1.4", TRSTRESU="mm"),
            tr("T01", "LDIAM", "9.8", WEEK_6),
        ],
        "PD 9.8",
        ["length_contradicted", "too_small"],
    ),
    (
        "the noise of a binary float loses no limit",
        [],
        [
            tr("T01", "LDIAM", "14", BASELINE),
            tr("T01", "LDIAM", "9.8", WEEK_6, TRSTRESN="9.800000000000001", TRSTRESC="9.800000000000001"),
        ],
        "PR 9.8",
        [],
    ),
    # How it was found
    ("absent is 0 mm", [], [LIVER_50, tr("T01", "TUMSTATE", "ABSENT", WEEK_6)], "CR 0", []),
    (
        "too small to measure is the protocol's 5 mm",
        [],
        [
            LIVER_50,
            tr("T01", "LDIAM", "TOO SMALL TO MEASURE", WEEK_6, TRSTRESC="5", TRSTRESN="5", TRSTRESU="mm"),
        ],
        "PR 5",
        [],
    ),
    (
        "another number for too small to measure is asked about",
        [],
        [
            LIVER_50,
            tr("T01", "LDIAM", "TOO SMALL TO MEASURE", WEEK_6, TRSTRESC="2", TRSTRESN="2", TRSTRESU="mm"),
        ],
        "PR 5",
        ["too_small_standardised"],
    ),
    ("not done with a day is not evaluable", [], [LIVER_50, not_done("T01", "LDIAM", WEEK_6)], "NE", []),
    (
        "a missing row is not evaluable, and a query",
        [],
        [LIVER_50, tr("T02", "LDIAM", "20", BASELINE), tr("T01", "LDIAM", "50", WEEK_6)],
        "NE",
        ["target_not_assessed"],
    ),
    (
        "present without a length is asked about",
        [],
        [LIVER_50, tr("T01", "TUMSTATE", "PRESENT", WEEK_6)],
        "NE",
        ["diameter_missing"],
    ),
    (
        "a word that nobody knows is asked about",
        [],
        [LIVER_50, tr("T01", "TUMSTATE", "SHRUNKEN", WEEK_6)],
        "NE",
        ["diameter_missing", "word_unknown"],
    ),
    (
        "a length beside ABSENT is asked about",
        [],
        [LIVER_50, tr("T01", "LDIAM", "30", WEEK_6), tr("T01", "TUMSTATE", "ABSENT", WEEK_6)],
        "PR 30",
        ["state_contradicted"],
    ),
    (
        "two lengths of one visit are asked about, and the first counts",
        [],
        [
            LIVER_50,
            tr("T01", "LDIAM", "30", WEEK_6, TRDTC="2026-02-16"),
            tr("T01", "LDIAM", "31", WEEK_6, TRDTC="2026-02-17"),
        ],
        "PR 30",
        ["lesion_repeated"],
    ),
    (
        "the same length twice is one",
        [],
        [LIVER_50, tr("T01", "LDIAM", "30", WEEK_6), tr("T01", "LDIAM", "30", WEEK_6, TRDTC="2026-02-17")],
        "PR 30",
        [],
    ),
    (
        "a normal node without a short axis has no value",
        [tu("T01", "TARGET", "LYMPH NODE")],
        [tr("T01", "LPERP", "20", BASELINE), tr("T01", "LNSTATE", "NON-PATHOLOGICAL", WEEK_6)],
        "NE",
        ["diameter_missing"],
    ),
    # Which part it has
    (
        "TRGRPID tells the part when there is no TU",
        [],
        [
            tr("A", "LDIAM", "50", BASELINE, TRGRPID="TARGET"),
            tr("A", "LDIAM", "30", WEEK_6, TRGRPID="TARGET"),
        ],
        "PR 30",
        [],
    ),
    (
        "an identifier with the evaluator's letters tells the part",
        [],
        [tr("INV-T01", "LDIAM", "50", BASELINE), tr("INV-T01", "LDIAM", "30", WEEK_6)],
        "PR 30",
        [],
    ),
    (
        "a lesion without any part is asked about and left out",
        [],
        [LIVER_50, tr("X", "LDIAM", "9", WEEK_6), tr("T01", "LDIAM", "30", WEEK_6)],
        "PR 30",
        ["role_unknown"],
    ),
    (
        "two parts are asked about, and TU's counts",
        [tu("T01", "TARGET")],
        [LIVER_50, tr("T01", "LDIAM", "30", WEEK_6, TRGRPID="NON-TARGET")],
        "PR 30",
        ["role_contradicted"],
    ),
    (
        "a lesion that TU does not identify is asked about",
        [tu("T01", "TARGET")],
        [
            LIVER_50,
            tr("T02", "LDIAM", "20", BASELINE),
            tr("T01", "LDIAM", "30", WEEK_6),
            tr("T02", "LDIAM", "10", WEEK_6),
        ],
        "PR 40",
        ["lesion_not_identified"],
    ),
    (
        "a target that is only identified has no baseline",
        [tu("T01", "TARGET"), tu("T02", "TARGET")],
        [LIVER_50, tr("T01", "LDIAM", "30", WEEK_6)],
        "NE",
        ["baseline_not_measured", "not_measured", "target_not_assessed"],
    ),
    # Non-targets
    (
        "a non-target that is only identified was there",
        [tu("NT01", "NON-TARGET")],
        [
            tr("NT01", "TUMSTATE", "ABSENT", WEEK_6),
            tr("T01", "LDIAM", "50", BASELINE),
            tr("T01", "LDIAM", "0", WEEK_6),
        ],
        "CR 0",
        ["lesion_not_identified"],
    ),
    (
        "unequivocal progression of a non-target is PD",
        [],
        [
            LIVER_50,
            tr("NT01", "TUMSTATE", "PRESENT", BASELINE),
            tr("T01", "LDIAM", "50", WEEK_6),
            tr("NT01", "TUMSTATE", "UNEQUIVOCAL PROGRESSION", WEEK_6),
        ],
        "PD 50",
        [],
    ),
    (
        "progression of a non-target without the word unequivocal is asked about",
        [],
        [
            LIVER_50,
            tr("NT01", "TUMSTATE", "PRESENT", BASELINE),
            tr("T01", "LDIAM", "50", WEEK_6),
            tr("NT01", "TUMSTATE", "PROGRESSION", WEEK_6),
        ],
        "PD 50",
        ["progression_without_reason"],
    ),
    (
        "a non-target node below 10 mm is normal",
        [tu("NT01", "NON-TARGET", "LYMPH NODE"), tu("T01", "TARGET")],
        [
            LIVER_50,
            tr("NT01", "LPERP", "12", BASELINE),
            tr("T01", "LDIAM", "0", WEEK_6),
            tr("NT01", "LPERP", "9", WEEK_6),
        ],
        "CR 0",
        [],
    ),
    # Changes of form
    (
        "parts are added up whatever they are called",
        [],
        [LIVER_50, tr("T01a", "LDIAM", "15", WEEK_6), tr("T01b", "LDIAM", "10", WEEK_6)],
        "PR 25",
        [],
    ),
    (
        "a part that was not evaluable makes the whole not evaluable",
        [],
        [LIVER_50, tr("T01.1", "LDIAM", "15", WEEK_6), not_done("T01.2", "LDIAM", WEEK_6)],
        "NE",
        [],
    ),
    (
        "a part that is gone is 0 mm",
        [],
        [LIVER_50, tr("T01.1", "LDIAM", "15", WEEK_6), tr("T01.2", "TUMSTATE", "ABSENT", WEEK_6)],
        "PR 15",
        [],
    ),
    (
        "parts beside the whole are asked about",
        [],
        [
            LIVER_50,
            tr("T01", "LDIAM", "26", WEEK_6),
            tr("T01.1", "LDIAM", "15", WEEK_6),
            tr("T01.2", "LDIAM", "10", WEEK_6),
        ],
        "PR 25",
        ["split_and_whole"],
    ),
    (
        "identifiers with letters at baseline are lesions of their own",
        [],
        [
            tr("T01A", "LDIAM", "20", BASELINE),
            tr("T01B", "LDIAM", "20", BASELINE),
            tr("T01A", "LDIAM", "14", WEEK_6),
            tr("T01B", "LDIAM", "14", WEEK_6),
        ],
        "PR 28",
        [],
    ),
    (
        "TU says what a part came from",
        [
            tu("T01", "TARGET"),
            tu("T05", "TARGET", visit=WEEK_6, TUTESTCD="TUSPLIT", TUGRPID="T01"),
            tu("T06", "TARGET", visit=WEEK_6, TUTESTCD="TUSPLIT", TUGRPID="T01"),
        ],
        [LIVER_50, tr("T05", "LDIAM", "15", WEEK_6), tr("T06", "LDIAM", "10", WEEK_6)],
        "PR 25",
        [],
    ),
    (
        "a mass counts once",
        [],
        [LIVER_50, tr("T02", "LDIAM", "30", BASELINE), tr("T01/T02", "LDIAM", "55", WEEK_6)],
        "PR 55",
        [],
    ),
    (
        "a mass that was not evaluable is not evaluable",
        [],
        [LIVER_50, tr("T02", "LDIAM", "30", BASELINE), not_done("T01/T02", "LDIAM", WEEK_6)],
        "NE",
        [],
    ),
    (
        "a target that TR calls merged needs to be told where",
        [],
        [
            LIVER_50,
            tr("T02", "LDIAM", "30", BASELINE),
            tr("T01", "LDIAM", "55", WEEK_6),
            tr("T02", "TUMSTATE", "MERGED", WEEK_6),
        ],
        "NE",
        ["diameter_missing"],
    ),
    (
        "TU says where a target merged",
        [
            tu("T01", "TARGET"),
            tu("T02", "TARGET"),
            tu("T02", "TARGET", visit=WEEK_6, TUTESTCD="TUMERGE", TUGRPID="T01"),
        ],
        [
            LIVER_50,
            tr("T02", "LDIAM", "30", BASELINE),
            tr("T01", "LDIAM", "55", WEEK_6),
            tr("T02", "TUMSTATE", "MERGED", WEEK_6),
        ],
        "PR 55",
        [],
    ),
    # New lesions
    (
        "a new lesion that only TU tells of is unequivocal",
        [tu("T01", "TARGET"), tu("NEW01", "NEW", "BRAIN", WEEK_6)],
        [LIVER_50, tr("T01", "LDIAM", "50", WEEK_6)],
        "PD 50",
        [],
    ),
    (
        "a day tells the visit of a new lesion that TU gives no visit",
        [tu("T01", "TARGET"), tu("NEW01", "NEW", "BRAIN", ("", "", "2026-02-16"))],
        [LIVER_50, tr("T01", "LDIAM", "50", WEEK_6)],
        "PD 50",
        [],
    ),
    (
        "a new lesion of 4 mm is a new lesion",
        [],
        [LIVER_50, tr("T01", "LDIAM", "50", WEEK_6), tr("NEW01", "LDIAM", "4", WEEK_6)],
        "PD 50",
        [],
    ),
    (
        "a row that says NO new lesion says so",
        [],
        [LIVER_50, tr("T01", "LDIAM", "50", WEEK_6), tr("NEW01", "TUMSTATE", "NO", WEEK_6)],
        "SD 50",
        [],
    ),
    (
        "no limit of baseline is asked at follow-up",
        [],
        [tr("T01", "LDIAM", "12", BASELINE), tr("T01", "LDIAM", "4", WEEK_6)],
        "PR 4",
        [],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[row[0] for row in CASES])
def test_at_week_6(small, tmp_path, case):
    _, identified, results, wanted, asked = case
    score_folder(small(results, identified), tmp_path / "out")
    overall = [
        row["RSSTRESC"]
        for row in read(tmp_path / "out" / "rs.csv")
        if (row["RSTESTCD"], row["VISIT"]) == ("OVRLRESP", "WEEK 6")
    ]
    sums = [
        row["TRSTRESN"]
        for row in read(tmp_path / "out" / "sumdiam.csv")
        if row["VISIT"] == "WEEK 6" and row["TRSTRESN"]
    ]
    assert " ".join(overall + sums) == wanted
    told = json.loads((tmp_path / "out/report.json").read_text())["remarks"]
    assert sorted(each["code"] for each in told if each["code"] != "no_start") == asked


@pytest.mark.parametrize(
    ("at_week_6", "at_week_12", "days"),
    [
        ("EQUIVOCAL", "UNEQUIVOCAL", ["2026-02-16"]),
        ("EQUIVOCAL", "EQUIVOCAL", []),
        ("EQUIVOCAL", "ABSENT", []),
        ("EQUIVOCAL", "REFUTED", []),
        ("EQUIVOCAL", "PRESENT", []),
        ("UNEQUIVOCAL", "ABSENT", ["2026-02-16"]),
        ("PRESENT", "PRESENT", ["2026-02-16"]),
        ("NOT EVALUABLE", "PRESENT", ["2026-03-30"]),
    ],
)
def test_a_new_lesion_progresses_since(small, tmp_path, at_week_6, at_week_12, days):
    data = small(
        [
            LIVER_50,
            tr("T01", "LDIAM", "50", WEEK_6),
            tr("NEW01", "TUMSTATE", at_week_6, WEEK_6),
            tr("T01", "LDIAM", "50", WEEK_12),
            tr("NEW01", "TUMSTATE", at_week_12, WEEK_12),
        ]
    )
    score_folder(data, tmp_path / "out")
    found = [
        row["ADT"]
        for row in read(tmp_path / "out" / "adrs.csv")
        if (row["PARAMCD"], row["AVALC"]) == ("PD", "Y")
    ]
    assert found == days
    told = {each["code"] for each in json.loads((tmp_path / "out/report.json").read_text())["remarks"]}
    assert ("new_lesion_still_doubtful" in told) is ((at_week_6, at_week_12) == ("EQUIVOCAL", "PRESENT"))
