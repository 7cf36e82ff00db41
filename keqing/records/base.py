"""What all records share: frozen pydantic models that refuse unknown fields; times are aware and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

Utc = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Record(BaseModel):
    """Base of all records: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def utc_text(moment: datetime) -> str:
    """ISO text in UTC with `Z`, the one written form of a time."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
