"""The oracle: a book in plain Python, which shares no code with what it judges."""

from .book import ReferenceBook, Request
from .state import MOST, Answer

__all__ = ["MOST", "Answer", "ReferenceBook", "Request"]
