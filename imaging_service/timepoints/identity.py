"""Whose study it is: the sender's trial tags first, then the site's own PatientID."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from imaging_service.timepoints.doubts import Confidence, Doubt, DoubtCode


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKey:
    """An enrolled subject, and the site that enrolled it."""

    trial_id: str
    subject_id: str
    site_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a study says about its subject, and what the trial's books know about that."""

    site_id: str | None
    """Site of the sender; None when several sites have sent parts of the study."""
    patient_ids: Sequence[str]
    """Every PatientID (0010,0020) found in the study."""
    protocol_tag: str
    """Clinical Trial Protocol ID (0012,0020), or empty."""
    subject_tag: str
    """Clinical Trial Subject ID (0012,0040), or empty."""
    tagged: Sequence[SubjectKey] = field(default_factory=tuple)
    """Subjects of this name in the tagged trial or, without that tag, at this site."""
    mapped: Sequence[SubjectKey] = field(default_factory=tuple)
    """Subjects for whom the sender's site has registered one of these PatientIDs."""
    knows_trial: bool = False
    """Whether the tagged trial exists here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The one subject a study belongs to, and how it was found."""

    subject: SubjectKey
    confidence: Confidence
    sentence: str


def identify(claims: Claims) -> Identity | Doubt:
    """Return the one subject that every claim points at, or why there is none.

    Trial tags (0012,0020) and (0012,0040) come first, the site's PatientID second. When both speak they
    must agree, and the subject must be one of the sender's site: one study is never put under a subject
    that any of its own attributes contradicts.
    """
    for objection in (_two_sites, _two_patients, _unknown_tags, _two_subjects, _nobody, _other_site):
        doubt = objection(claims)
        if doubt is not None:
            return doubt
    return _identity(claims)


def _candidates(claims: Claims) -> Sequence[SubjectKey]:
    """Return the subjects that the claims point at; a trial that is named rules out the others."""
    trials = {claims.protocol_tag} if claims.protocol_tag else {each.trial_id for each in claims.tagged}
    mapped = [each for each in claims.mapped if not trials or each.trial_id in trials]
    return sorted({*claims.tagged, *mapped}, key=lambda each: (each.trial_id, each.subject_id))


def _two_sites(claims: Claims) -> Doubt | None:
    if claims.site_id is not None:
        return None
    return Doubt(
        code=DoubtCode.SEVERAL_SITES,
        sentence="Senders of several sites, or of none, have sent parts of this study; one site was wanted.",
    )


def _two_patients(claims: Claims) -> Doubt | None:
    if len(claims.patient_ids) <= 1:
        return None
    return Doubt(
        code=DoubtCode.SEVERAL_PATIENTS,
        sentence=f"The instances of this study carry {len(claims.patient_ids)} different PatientIDs "
        f"({_quoted(claims.patient_ids)}); one was wanted.",
    )


def _unknown_tags(claims: Claims) -> Doubt | None:
    if claims.protocol_tag and not claims.knows_trial:
        return Doubt(
            code=DoubtCode.UNKNOWN_TRIAL,
            sentence=f"The study names the trial {claims.protocol_tag!r} in (0012,0020), "
            "which is not a trial of this service.",
        )
    if claims.subject_tag and not claims.tagged:
        where = f"trial {claims.protocol_tag!r}" if claims.protocol_tag else f"site {claims.site_id!r}"
        return Doubt(
            code=DoubtCode.UNKNOWN_SUBJECT,
            sentence=f"The study names the subject {claims.subject_tag!r} in (0012,0040), "
            f"and {where} has enrolled no such subject.",
        )
    return None


def _two_subjects(claims: Claims) -> Doubt | None:
    candidates = _candidates(claims)
    if len(candidates) <= 1:
        return None
    names = " and ".join(f"{each.subject_id!r} of trial {each.trial_id!r}" for each in candidates)
    return Doubt(
        code=DoubtCode.SEVERAL_SUBJECTS,
        sentence=f"The study's trial tags and PatientID point at {names}; one subject was wanted.",
    )


def _nobody(claims: Claims) -> Doubt | None:
    if _candidates(claims):
        return None
    value = f"PatientID {claims.patient_ids[0]!r}" if claims.patient_ids else "missing PatientID"
    return Doubt(
        code=DoubtCode.UNKNOWN_SUBJECT,
        sentence=f"Site {claims.site_id!r} has registered no subject for the {value}, "
        "and no Clinical Trial Subject ID (0012,0040) names one.",
    )


def _other_site(claims: Claims) -> Doubt | None:
    (subject,) = _candidates(claims)
    if subject.site_id == claims.site_id:
        return None
    return Doubt(
        code=DoubtCode.OTHER_SITE,
        sentence=f"The study was sent by site {claims.site_id!r}, and subject {subject.subject_id!r} "
        f"is enrolled at site {subject.site_id!r}.",
        trial_id=subject.trial_id,
        subject_id=subject.subject_id,
    )


def _identity(claims: Claims) -> Identity:
    (subject,) = _candidates(claims)
    if claims.tagged and subject in claims.mapped:
        how, confidence = "the trial tags and the site's PatientID agree", Confidence.HIGH
    elif claims.tagged and claims.protocol_tag:
        how, confidence = "the trial tags (0012,0020) and (0012,0040) name it", Confidence.HIGH
    elif claims.tagged:
        how, confidence = "the tag (0012,0040) names it, without the trial's (0012,0020)", Confidence.MEDIUM
    else:
        how, confidence = "the site has registered this PatientID for it", Confidence.HIGH
    return Identity(
        subject=subject, confidence=confidence, sentence=f"Subject {subject.subject_id!r}: {how}."
    )


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(repr(value) for value in values)
