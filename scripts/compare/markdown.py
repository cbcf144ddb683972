"""Tables and paragraphs of BENCHMARKS.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

WIDTH = 116


def paragraph(text: str) -> str:
    """Prose in lines of a readable width; where they break says nothing."""
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def table(columns: dict[str, str], rows: Iterable[Iterable[str]]) -> str:
    """Rows under heads, each with `<` for text or `>` for numbers."""
    rules = ["---:" if side == ">" else "---" for side in columns.values()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rules, *rows))
