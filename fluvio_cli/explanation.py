"""The form of an explanation, for the tables of `explanations`."""

from typing import NamedTuple


class Explanation(NamedTuple):
    """`meaning` is a sentence; `causes` and `steps` are what usually leads there, and what helps."""

    meaning: str
    causes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
