"""Settings: the watch plan (keqing.toml), source cards and the environment, checked.

In:  a directory with keqing.toml (and maybe sources/*.toml), the environment.
Out: frozen Settings. A bad plan is refused with file, line, field and nearest name (BadConfig).
Secrets come from the environment or `<NAME>_FILE` only; see `secret`.
"""

from keqing.settings.cards import SourceCard
from keqing.settings.load import Settings, load_settings, secret
from keqing.settings.plan import Brand, Plan, Receiver, SecondStage, Smtp, Target
from keqing.settings.stores import IndexSettings, WorkflowSettings

__all__ = [
    "Brand", "IndexSettings", "Plan", "Receiver", "SecondStage", "Settings", "Smtp", "SourceCard",
    "Target", "WorkflowSettings", "load_settings", "secret",
]  # fmt: skip
