import collections
_at = "@@"
TEXT_LEAVE=BROUGHT_COPIES=BROUGHT_START=BROUGHT_KEEP=BROUGHT_SCHEDULE=TRUNK=BROUGHT_REAL=BROUGHT_STROKES=_at
TEXT_WHICH=TEXT_OMISSIONS=TEXT_FAILED=TEXT_ANSWERS=TEXT_RESTART=TEXT_SEEDS=TEXT_56=TEXT_CLOCK=_at
ONE_TO_ONE=EX3_WORDS=COST=TEXT_13=_at
TEXT_WHICH="## 14 · Which part matters\n\n@@"
TEXT_FAILED="## 15 · A run that failed, and how to know without a label\n\n@@"
TEXT_SEEDS="## 17 · One run is one run\n\n@@"

LAMBDA_Q = """
λ was 1, and 0. What about the rest? Five values, in runs that are shorter still.

> **Before you run the next cell.** More λ, more information?
"""
LAMBDA_A = "@@"
