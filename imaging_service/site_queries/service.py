"""Ask a site, answer, follow up, close, open again."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.scope import Scope
from imaging_service.database import new_id
from imaging_service.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.notices import service as notices
from imaging_service.notices.kinds import Kind
from imaging_service.site_queries import repository
from imaging_service.site_queries.following import Followers
from imaging_service.site_queries.records import About, Entry, SiteQuery, Word
from imaging_service.site_queries.repository import Filter
from imaging_service.site_queries.states import RULES, SEE_ALL, Deed, QueryCode, QueryState
from imaging_service.subjects import service as subjects
from imaging_service.timepoints import service as timepoints
from imaging_service.trials import service as trials

FOLLOWERS = Followers()
"""Those of this process; the chapter of quality adds itself when it is imported."""

_NOTICES = {
    Deed.ASKED: Kind.QUERY_OPENED,
    Deed.ANSWERED: Kind.QUERY_ANSWERED,
    Deed.FOLLOWED_UP: Kind.QUERY_OPENED,
    Deed.CLOSED: Kind.QUERY_CLOSED,
    Deed.REOPENED: Kind.QUERY_OPENED,
}


def ask(  # noqa: PLR0913  a question has this many parts
    act: Act, trial_id: str, about: About, *, code: QueryCode, text: str, due_on: date | None
) -> SiteQuery:
    """Ask a site about what it sent, or did not send.

    Raises
    ------
    NotFoundError
        There is no such trial, site, subject, timepoint or study in the scope.
    RefusedError
        What is named does not belong together, nothing is named, or the day to answer by has passed.
    """
    protocol = trials.protocol_in_force(act.session, act.scope, trial_id, on=act.today)
    whole = _completed(act, trial_id, about)
    due = due_on or act.today + timedelta(days=protocol.quality.query_due_days)
    _refuse_past(act, due)
    query = SiteQuery(
        query_id=new_id(),
        number=repository.next_number(act.session, trial_id),
        trial_id=trial_id,
        site_id=whole.site_id or "",
        subject_id=whole.subject_id,
        timepoint_id=whole.timepoint_id,
        study_instance_uid=whole.study_instance_uid,
        code=code,
        text=text,
        state=QueryState.OPEN,
        due_on=due,
        version=0,
        asked_at=act.now,
    )
    repository.add(act.session, query)
    return _say(act, query, Deed.ASKED, QueryState.OPEN, text=text, due_on=due)


def _completed(act: Act, trial_id: str, about: About) -> About:
    """Fill in what follows from what is named, and refuse what contradicts it."""
    subject_id, site_id = about.subject_id, about.site_id
    if about.study_instance_uid is not None:
        study = timepoints.find_study(act.session, act.scope, trial_id, about.study_instance_uid)
        subject_id = _same(subject_id, study.verdict.subject_id, "subject", "study")
        site_id = _same(site_id, study.site_id, "site", "study")
    if about.timepoint_id is not None:
        timepoint = timepoints.find_timepoint(act.session, act.scope, about.timepoint_id)
        if timepoint.trial_id != trial_id:
            raise timepoints.no_such_timepoint(about.timepoint_id)
        subject_id = _same(subject_id, timepoint.subject_id, "subject", "timepoint")
    if subject_id is not None:
        subject = subjects.find_subject(act.session, act.scope, trial_id, subject_id)
        site_id = _same(site_id, subject.site_id, "site", "subject")
    if site_id is None:
        message = "The question names no site, subject, timepoint or study; one of them was wanted."
        raise RefusedError(message, code="nothing_named")
    trials.find_site(act.session, act.scope, trial_id, site_id)
    return replace(about, subject_id=subject_id, site_id=site_id)


def _same(stated: str | None, found: str | None, what: str, of: str) -> str | None:
    if stated is not None and found is not None and stated != found:
        message = f"The {what} is {stated!r}, and the {of} belongs to {found!r}; they must be the same."
        raise RefusedError(message, code="not_together")
    return stated or found


def _refuse_past(act: Act, due_on: date) -> None:
    if due_on < act.today:
        message = f"The day to answer by is {due_on}, which has passed; today is {act.today}."
        raise RefusedError(message, code="due_in_the_past")


def say(act: Act, trial_id: str, query_id: str, word: Word) -> SiteQuery:
    """Answer a question, follow it up, close it, or open it again.

    Raises
    ------
    NotFoundError
        There is no such question in the scope.
    ConflictError
        Its state does not allow it, or somebody has said something meanwhile.
    RefusedError
        The new day to answer by has passed.
    """
    query = find_query(act.session, scope_of(act.roles, act.scope), trial_id, query_id, lock=True)
    if word.seen_version not in {None, query.version}:
        message = (
            f"Query {query.number} has {query.version} entries now, not {word.seen_version}; read it again."
        )
        raise ConflictError(message, code="changed_meanwhile")
    rule = RULES[word.deed]
    if query.state not in rule.before:
        allowed = " or ".join(sorted(rule.before))
        message = f"Query {query.number} is {query.state}; it can {rule.verb} only while it is {allowed}."
        raise ConflictError(message, code=f"query_{query.state}")
    if word.due_on is not None:
        _refuse_past(act, word.due_on)
    return _say(act, query, word.deed, rule.after, text=word.text, due_on=word.due_on or query.due_on)


def _say(  # noqa: PLR0913  an entry has this many parts
    act: Act, query: SiteQuery, deed: Deed, state: QueryState, *, text: str, due_on: date
) -> SiteQuery:
    entry = Entry(
        version=query.version + 1,
        deed=deed,
        state=state,
        text=text,
        due_on=due_on,
        said_by=act.by,
        said_by_name=act.actor.name,
        said_at=act.now,
    )
    repository.say(act.session, query.query_id, entry)
    act.record(
        f"{deed.value.replace('_', ' ')} site query",
        "site query",
        query.query_id,
        before={"state": query.state, "version": query.version},
        after={"state": state, "version": entry.version, "due_on": due_on, "text": text},
    )
    notices.publish(
        act,
        _NOTICES[deed],
        query.trial_id,
        subject_id=query.subject_id,
        timepoint_id=query.timepoint_id,
        reference=query.query_id,
    )
    if query.timepoint_id is not None and deed is not Deed.ANSWERED:
        FOLLOWERS.tell(act, query.timepoint_id)
    return replace(query, state=state, due_on=due_on, version=entry.version)


def queries(
    session: Session, scope: Scope, trial_id: str, wanted: Filter, page: PageRequest
) -> Page[SiteQuery]:
    """Return the wanted questions to the sites of the scope.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, scope, trial_id)
    return repository.page(session, scope, trial_id, wanted, page)


def find_query(
    session: Session, scope: Scope, trial_id: str, query_id: str, *, lock: bool = False
) -> SiteQuery:
    """Return a question; `lock` keeps others from saying anything about it.

    Raises
    ------
    NotFoundError
        There is none in the scope.
    """
    found = repository.find(session, scope, trial_id, query_id, lock=lock)
    if found is None:
        message = f"Trial {trial_id!r} has no query {query_id!r}."
        raise NotFoundError(message)
    return found


def entries(session: Session, query: SiteQuery) -> Sequence[Entry]:
    """Return everything that was said about a question that the caller may see."""
    return repository.entries(session, query.query_id)


def is_open(session: Session, timepoint_id: str) -> bool:
    """Whether a question about a timepoint is not closed."""
    return repository.is_unfinished(session, timepoint_id)


def unfinished_of_subjects(session: Session, trial_id: str, subject_ids: Sequence[str]) -> Mapping[str, int]:
    """Return how many questions about each subject are not closed."""
    return repository.unfinished_of_subjects(session, trial_id, subject_ids)


def scope_of(roles: AbstractSet[Role], scope: Scope) -> Scope:
    """Return where an account sees questions: a site's own account only at the sites it is granted."""
    if roles & SEE_ALL:
        return scope
    return Scope.of(grant for grant in scope.grants if grant.site_id is not None)


def refuse_readers(principal: Principal, trial_id: str) -> None:
    """Keep questions to sites from whoever reads in the trial, whatever other roles the account has.

    Raises
    ------
    ForbiddenError
        The account reads in the trial.
    """
    if principal.scope.reader_slot(trial_id) is not None:
        message = "Whoever reads in a trial is blinded to what is asked of its sites."
        raise ForbiddenError(message)
