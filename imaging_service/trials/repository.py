"""Trials, protocols and sites in the database."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.http.pages import Page, PageRequest
from imaging_service.trials.protocols import MediaType, ProtocolText
from imaging_service.trials.records import FiledProtocol, ReaderPlan, Site, Trial
from imaging_service.trials.tables import ProtocolRow, ReaderPlanRow, SiteRow, TrialRow
from measurement.protocol.trial import ReaderAssignment


def add_trial(session: Session, trial: Trial) -> None:
    """Keep a new trial."""
    session.add(TrialRow(trial_id=trial.trial_id, title=trial.title, created_at=trial.created_at))
    session.flush()


def trial(session: Session, scope: Scope, trial_id: str) -> Trial | None:
    """Return the trial, or None when there is none in the scope."""
    row = session.scalar(
        select(TrialRow).where(TrialRow.trial_id == trial_id, scope.trials(TrialRow.trial_id))
    )
    return None if row is None else _trial(row)


def trials(session: Session, scope: Scope, page: PageRequest) -> Page[Trial]:
    """Return the trials of the scope."""
    statement = select(TrialRow).where(scope.trials(TrialRow.trial_id))
    rows = session.scalars(page.apply(statement, TrialRow.trial_id)).all()
    return page.page(rows, lambda row: (row.trial_id,), _trial)


def trials_of_site(session: Session, site_id: str) -> Sequence[str]:
    """Return the trials in which a site takes part."""
    return session.scalars(
        select(SiteRow.trial_id).where(SiteRow.site_id == site_id).order_by(SiteRow.trial_id)
    ).all()


def versions_in_force(session: Session, on: date) -> Mapping[str, str]:
    """Return the version that is effective on a day, by trial."""
    rows = session.execute(
        select(ProtocolRow.trial_id, ProtocolRow.version)
        .where(or_(ProtocolRow.revision == 1, ProtocolRow.effective_on <= on))
        .order_by(ProtocolRow.trial_id, ProtocolRow.revision)
    )
    return {row[0]: row[1] for row in rows}


def add_protocol(session: Session, filed: FiledProtocol) -> None:
    """Keep a new version."""
    session.add(
        ProtocolRow(
            trial_id=filed.trial_id,
            version=filed.version,
            revision=filed.revision,
            effective_on=filed.effective_on,
            media_type=filed.writing.media_type,
            text=filed.writing.text,
            sha256=filed.sha256,
            filed_by=filed.filed_by,
            filed_at=filed.filed_at,
        )
    )
    session.flush()


def protocols(session: Session, scope: Scope, trial_id: str) -> Sequence[FiledProtocol]:
    """Return every version of a trial's protocol, in the order in which they were filed."""
    rows = session.scalars(
        select(ProtocolRow)
        .where(ProtocolRow.trial_id == trial_id, scope.trials(ProtocolRow.trial_id))
        .order_by(ProtocolRow.revision)
    )
    return [_protocol(row) for row in rows]


def protocol_in_force(session: Session, scope: Scope, trial_id: str, on: date) -> FiledProtocol | None:
    """Return the latest version that is effective on a day, or the first one before any is."""
    of_trial = select(ProtocolRow).where(ProtocolRow.trial_id == trial_id, scope.trials(ProtocolRow.trial_id))
    row = session.scalar(
        of_trial.where(ProtocolRow.effective_on <= on).order_by(ProtocolRow.revision.desc()).limit(1)
    ) or session.scalar(of_trial.order_by(ProtocolRow.revision).limit(1))
    return None if row is None else _protocol(row)


def protocol(session: Session, scope: Scope, trial_id: str, version: str) -> FiledProtocol | None:
    """Return one version."""
    row = session.scalar(
        select(ProtocolRow).where(
            ProtocolRow.trial_id == trial_id,
            ProtocolRow.version == version,
            scope.trials(ProtocolRow.trial_id),
        )
    )
    return None if row is None else _protocol(row)


def add_reader_plan(session: Session, plan: ReaderPlan) -> None:
    """Keep how a trial's subjects get their readers."""
    session.add(
        ReaderPlanRow(
            trial_id=plan.trial_id, assignment=plan.assignment, seed=plan.seed, drawn_at=plan.drawn_at
        )
    )
    session.flush()


def reader_plan(session: Session, trial_id: str, *, lock: bool = False) -> ReaderPlan | None:
    """Return how a trial's subjects get their readers; `lock` lets one assign at a time."""
    statement = select(ReaderPlanRow).where(ReaderPlanRow.trial_id == trial_id)
    row = session.scalar(statement.with_for_update() if lock else statement)
    return None if row is None else _reader_plan(row)


def reader_plans(session: Session) -> Sequence[ReaderPlan]:
    """Return the plan of every trial that has a pool of readers."""
    return [_reader_plan(row) for row in session.scalars(select(ReaderPlanRow))]


def _reader_plan(row: ReaderPlanRow) -> ReaderPlan:
    return ReaderPlan(
        trial_id=row.trial_id,
        assignment=ReaderAssignment(row.assignment),
        seed=row.seed,
        drawn_at=row.drawn_at,
    )


def add_site(session: Session, site: Site, added_at: datetime) -> None:
    """Keep a new site."""
    session.add(SiteRow(trial_id=site.trial_id, site_id=site.site_id, name=site.name, added_at=added_at))
    session.flush()


def site(session: Session, scope: Scope, trial_id: str, site_id: str) -> Site | None:
    """Return the site, or None when the trial has none of that name in the scope."""
    row = session.scalar(
        select(SiteRow).where(
            SiteRow.trial_id == trial_id,
            SiteRow.site_id == site_id,
            scope.sites(SiteRow.trial_id, SiteRow.site_id),
        )
    )
    return None if row is None else _site(row)


def sites(session: Session, scope: Scope, trial_id: str, page: PageRequest) -> Page[Site]:
    """Return the sites of a trial."""
    statement = select(SiteRow).where(
        SiteRow.trial_id == trial_id, scope.sites(SiteRow.trial_id, SiteRow.site_id)
    )
    rows = session.scalars(page.apply(statement, SiteRow.site_id)).all()
    return page.page(rows, lambda row: (row.site_id,), _site)


def _trial(row: TrialRow) -> Trial:
    return Trial(trial_id=row.trial_id, title=row.title, created_at=row.created_at)


def _protocol(row: ProtocolRow) -> FiledProtocol:
    return FiledProtocol(
        trial_id=row.trial_id,
        version=row.version,
        revision=row.revision,
        effective_on=row.effective_on,
        writing=ProtocolText(media_type=MediaType(row.media_type), text=row.text),
        sha256=row.sha256,
        filed_by=row.filed_by,
        filed_at=row.filed_at,
    )


def _site(row: SiteRow) -> Site:
    return Site(trial_id=row.trial_id, site_id=row.site_id, name=row.name)
