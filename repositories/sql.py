"""Sources of a cache in a SQL database, through SQLAlchemy 2 (``pip install 'slotbook[sql]'``).

>>> from slotbook.models import SymbolInfo
>>> source = SqlSource.from_url("sqlite://", SymbolInfo, "symbols", key="symbol")
>>> source.create()
>>> source.store_many({"AAPL": SymbolInfo(symbol="AAPL", name="Apple Inc.", tick_size="0.010")})
>>> source.load_many(["AAPL", "NONE"])["AAPL"].tick_size
Decimal('0.01')
"""

from .caching._async.sql import AsyncSqlSource
from .caching._sync.sql import SqlSource

__all__ = ["AsyncSqlSource", "SqlSource"]
