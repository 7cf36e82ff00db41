"""What the network answers: four tasks and the columns of their outputs."""

from __future__ import annotations

TASKS = ("neutral", "negative", "emotion", "complaint")
WIDTHS = (1, 1, 7, 1)
OUTPUTS = sum(WIDTHS)
FELT = slice(2, 2 + WIDTHS[2])  # columns of the emotions
JOINT = "joint"  # folder in work/ of what own posts changed
ALIKE = "alike"  # the same of what happenings changed
POOLED = 1024  # [CLS] beside the mean of the tokens
BINARY = [0, 1, OUTPUTS - 1]  # columns of the other three
