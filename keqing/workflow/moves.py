"""What may be done with an incident (预警) in which state.

In:  an Incident, an act, when it changed last. Out: its next state, or IllegalMove with what is allowed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keqing.errors import IllegalMove
from keqing.records import Incident

REOPEN_WITHIN = timedelta(hours=72)
# state → act → new state; what is missing is refused.
MOVES: dict[str, dict[str, str]] = {
    "open": {"ack": "acknowledged", "assign": "acknowledged", "close": "closed", "merge": "merged"},
    "acknowledged": {
        "assign": "acknowledged",
        "handle": "handling",
        "watch": "watching",
        "close": "closed",
        "merge": "merged",
    },
    "handling": {
        "assign": "handling",
        "watch": "watching",
        "close": "closed",
        "merge": "merged",
    },
    "watching": {
        "assign": "watching",
        "handle": "handling",
        "close": "closed",
        "merge": "merged",
    },
    "closed": {"reopen": "open"},
    "merged": {},
}
OPEN_CLOSES_ONLY = ("false_positive", "duplicate")


def legal_acts(state: str) -> tuple[str, ...]:
    """Acts that a state allows."""
    return tuple(MOVES.get(state, {}))


def next_state(found: Incident, act: str, reason: str, changed: datetime, now: datetime) -> str:
    """The state that an act leads to.

    Args:
        changed: when the incident changed last.

    Raises:
        IllegalMove: the state, or what the reason says, does not allow the act.
    """
    allowed = legal_acts(found.state)
    if act not in allowed:
        raise IllegalMove(
            f"{found.id} is {found.state}: {act} is not allowed, only {', '.join(allowed) or '-'}"
        )
    if act == "close" and not reason:
        raise IllegalMove(f"{found.id}: close needs a reason")
    if act == "close" and found.state == "open" and reason not in OPEN_CLOSES_ONLY:
        raise IllegalMove(
            f"{found.id} is open: close is allowed only with {', '.join(OPEN_CLOSES_ONLY)}; "
            "acknowledge it first"
        )
    if act == "reopen" and now - changed > REOPEN_WITHIN:
        raise IllegalMove(f"{found.id} was closed more than 72 h ago; a new incident is needed")
    return MOVES[found.state][act]
