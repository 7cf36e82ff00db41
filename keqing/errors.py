"""The error tree: what happened, to which thing, and what to do next.

In:  nothing.
Out: exception classes. Each carries `exit_code`, the code with which a command line verb ends
when the error reaches it (1 failed, 2 usage, 3 done in part, 4 bad configuration), and `retry`,
whether repeating the same call may help.
"""

from __future__ import annotations


class KeqingError(Exception):
    """Base of all errors that keqing raises on purpose."""

    exit_code = 1
    retry = False


class BadConfig(KeqingError):
    """Plan, source card, map or secret is missing or wrong; the message names file, line, field."""

    exit_code = 4


class UsageError(KeqingError):
    """A command line call or an argument that cannot be meant."""

    exit_code = 2


class DoneInPart(KeqingError):
    """Some of the work is done and kept, some is not; repeating the call completes it."""

    exit_code = 3
    retry = True


# --- collection -----------------------------------------------------------------------------


class CrawlError(KeqingError):
    """A crawl that did not end as planned."""


class Blocked(CrawlError):
    """The site refuses us (login wall, captcha, throttle, permission). Never got round."""


class RobotsRefused(CrawlError):
    """robots.txt forbids the pages of this card."""


class Unreachable(CrawlError):
    """DNS, TLS, time-out or 5xx after all retries."""

    retry = True


class SourceChanged(CrawlError):
    """A page no longer looks as its parser expects."""


class UnreadablePage(CrawlError):
    """One page or one post of it that cannot be read; says which and why."""


class UnreadableTime(ValueError, KeqingError):
    """A written time that fits no known form."""


# --- landing --------------------------------------------------------------------------------


class LandingError(KeqingError):
    """The landing cannot take or give what was asked."""


class ChainBroken(LandingError):
    """The hash chain or a landed file does not agree with the manifest; names the first seq."""


class DiskFull(LandingError):
    """磁盘已满: no room to write; free space and repeat."""

    retry = True


# --- understanding --------------------------------------------------------------------------


class ModelError(KeqingError):
    """A model that is missing, damaged or of an unknown shape."""


class UnknownLabels(ModelError):
    """A classifier whose labels cannot be read as polarities; lists them and the line to write."""

    exit_code = 4


# --- index ----------------------------------------------------------------------------------


class IndexFault(KeqingError):
    """The index could not answer or store."""


class IndexUnavailable(IndexFault):
    """No connection to the index, or it is down."""

    retry = True


class IndexBusy(IndexFault):
    """The index refuses for now (lock, 429)."""

    retry = True


class IndexTimeout(IndexFault):
    """The question took longer than its deadline; narrow it."""


class IndexRejected(IndexFault):
    """A document that the mapping refuses; names id and field."""


class IndexOutdated(IndexFault):
    """The stored index has another version than this program; rebuild it."""


class IndexForbidden(IndexFault):
    """The index refuses who we are: credentials, a missing right, or a certificate not trusted."""

    exit_code = 4


class QueryError(IndexFault):
    """A boolean query that cannot be read.

    Args:
        code: stable code, e.g. `unclosed_quote`.
        offset, length: the place in the query, in code points.
        zh, en: the sentence for staff.
        suggestion: a query text that would be read, or "".
    """

    exit_code = 2

    def __init__(
        self, code: str, offset: int, length: int, zh: str, en: str, suggestion: str = ""
    ) -> None:
        super().__init__(f"{zh} (第 {offset + 1} 字符, {code})")
        self.code, self.offset, self.length = code, offset, length
        self.zh, self.en, self.suggestion = zh, en, suggestion


# --- workflow and alerts --------------------------------------------------------------------


class WorkflowError(KeqingError):
    """The workflow database could not do what was asked."""


class WorkflowUnavailable(WorkflowError):
    """No connection to the workflow database, or it is down."""

    retry = True


class WorkflowForbidden(WorkflowError):
    """The database refuses who we are: password, a missing right or database, a certificate."""

    exit_code = 4


class WorkflowOutdated(WorkflowError):
    """The database was written by a newer program, or a copy into it was never finished."""

    exit_code = 4


class LeaseHeld(WorkflowError):
    """Another run of the same stage is at work; names its owner."""

    retry = True


class Conflict(WorkflowError):
    """Somebody else changed the row since it was read."""


class IllegalMove(WorkflowError):
    """An act that the incident's state does not allow; names state, act and what is allowed."""


class TooLittleHistory(KeqingError):
    """Fewer data than a method needs; says how many are there."""
