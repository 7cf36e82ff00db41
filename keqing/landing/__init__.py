"""Raw landing (原始留存): what was collected, as it was; written once, chained, replayable.

In:  Posts of one crawl or import, raw bodies.
Out: `posts/<source>/<yyyy/mm/dd>/<window>.<n>.jsonl.gz`, `raw/<aa>/<sha256>.gz` and one hash chain
per source, `manifest/<source>.jsonl`. A row is {"n", "leaf", "salt", "post"} with
leaf = sha256(salt ‖ canonical post); the manifest keeps the root over the leaves, so that content
can be erased later while the chain still holds.
"""

from keqing.landing.store import Landing, VerifyReport
from keqing.landing.writer import SegmentWriter

__all__ = ["Landing", "SegmentWriter", "VerifyReport"]
