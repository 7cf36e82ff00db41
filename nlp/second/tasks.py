"""What the network answers: four tasks and the columns of their outputs."""

from __future__ import annotations

TASKS = ("neutral", "negative", "emotion", "complaint")
WIDTHS = (1, 1, 7, 1)
OUTPUTS = sum(WIDTHS)
FELT = slice(2, 2 + WIDTHS[2])  # columns of the emotions
BINARY = [0, 1, OUTPUTS - 1]  # columns of the other three
