"""The symbol directory ``nasdaqtraded.txt`` of an exchange: pipe-separated, with a header and a trailer."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ..models.errors import InvalidArgument
from ..models.symbol import SymbolInfo

_COLUMNS = frozenset({"Symbol", "Security Name", "Listing Exchange", "Round Lot Size"})
_TRAILER = "File Creation Time"
_EXCHANGES = {"A": "XASE", "N": "XNYS", "P": "ARCX", "Q": "XNAS", "V": "IEXG", "Z": "BATS"}
"""The directory's letters as market identifier codes (ISO 10383)."""


def read_symbols(path: Path) -> Iterator[SymbolInfo]:
    """Yield the symbols of a directory line by line; a name that ends in ``.gz`` means that it is gzipped.

    Raises InvalidArgument, which names the line.
    """
    line = 1
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", newline="") as file
        ):
            rows = csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE)
            if missing := _COLUMNS.difference(rows.fieldnames or ()):
                raise InvalidArgument(f"{path} is not a symbol directory: it has no column {min(missing)!r}")
            for row in rows:
                line = rows.line_num
                if not next(iter(row.values()), "").startswith(_TRAILER):
                    yield _symbol(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidArgument(
            f"{path}, line {line}: {first['loc'][0]} {str(first['input'])[:80]!r}: {first['msg']}"
        ) from None
    except (EOFError, UnicodeDecodeError, csv.Error, zlib.error, OSError) as error:
        raise InvalidArgument(f"{path}, line {line}: cannot be read: {error}") from None


def _symbol(row: dict[str, str]) -> SymbolInfo:
    return SymbolInfo.model_validate(
        {
            "symbol": row["Symbol"],
            "name": row["Security Name"].strip(),
            "exchange": _EXCHANGES.get(row["Listing Exchange"], row["Listing Exchange"]),
            "lot_size": row["Round Lot Size"],
        }
    )
