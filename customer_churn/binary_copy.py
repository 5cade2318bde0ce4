"""Columns between PostgreSQL and numpy by its binary COPY format: no Python object a row.

Only columns that are never NULL (use a sentinel); the format is described in PostgreSQL's manual, COPY,
"Binary Format": a header, then per row the number of fields and per field its length and its bytes in
network order, then a trailer. Imported inside a run only, since it loads numpy.
"""

import io

import numpy as np
from odoo.tools import SQL

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH = np.datetime64("2000-01-01", "D")  # PostgreSQL's
_NO_DATE = np.iinfo("i4").max  # 'infinity', the sentinel for NaT
_SQL_TYPE = {"i4": "int4", "i8": "int8", "f8": "float8", "date": "date"}


def _row_type(columns):
    """numpy type of one row of the format, for `columns` {name: 'i4' | 'i8' | 'f8' | 'date'}."""
    fields = [("_count", ">i2")]
    for name, kind in columns.items():
        fields += [(f"_length_{name}", ">i4"), (name, ">i4" if kind == "date" else f">{kind}")]
    return np.dtype(fields)


def read(cr, query, columns):
    """Run `query` (SQL, its columns in the order and of the types of `columns`) -> {name: array (n,)}.

    ValueError where a row has a NULL: it is shorter than the others.
    """
    typed = SQL(", ").join(
        SQL("%s::%s", SQL.identifier(name), SQL(_SQL_TYPE[kind])) for name, kind in columns.items()
    )
    buffer = io.BytesIO()
    statement = cr.mogrify(SQL("COPY (SELECT %s FROM (%s) source) TO STDOUT (FORMAT BINARY)", typed, query))
    cr.copy_expert(statement.decode(), buffer)
    row_type = _row_type(columns)
    count, rest = divmod(buffer.tell() - len(_HEADER) - len(_TRAILER), row_type.itemsize)
    rows = np.frombuffer(buffer.getbuffer(), row_type, count, len(_HEADER))
    if rest or any((rows[f"_length_{name}"] != row_type[name].itemsize).any() for name in columns):
        raise ValueError(f"a document without {' or '.join(columns)} was read: a source of purchases is wrong")
    return {
        name: _EPOCH + rows[name].astype("i4") if kind == "date" else rows[name].astype(kind)
        for name, kind in columns.items()
    }


def write(cr, table, columns, arrays):
    """Append `arrays` {name: array (n,)} to the columns of `table`; NaT is written as 'infinity'."""
    row_type = _row_type(columns)
    rows = np.empty(len(next(iter(arrays.values()))), row_type)
    rows["_count"] = len(columns)
    for name, kind in columns.items():
        rows[f"_length_{name}"] = row_type[name].itemsize
        values = np.asarray(arrays[name])
        if kind == "date":
            days = values.astype("datetime64[D]")
            values = np.where(np.isnat(days), _NO_DATE, (days - _EPOCH).astype("i8"))
        rows[name] = values
    statement = cr.mogrify(SQL(
        "COPY %s (%s) FROM STDIN (FORMAT BINARY)",
        SQL.identifier(table), SQL(", ").join(map(SQL.identifier, columns)),
    ))
    cr.copy_expert(statement.decode(), io.BytesIO(_HEADER + rows.tobytes() + _TRAILER))


def stage(cr, table, columns, arrays):
    """Write `arrays` to a temporary table of the transaction, made anew."""
    cr.execute(SQL("DROP TABLE IF EXISTS pg_temp.%s", SQL.identifier(table)))
    cr.execute(SQL(
        "CREATE TEMPORARY TABLE %s (%s) ON COMMIT DROP", SQL.identifier(table),
        SQL(", ").join(SQL("%s %s", SQL.identifier(name), SQL(_SQL_TYPE[kind])) for name, kind in columns.items()),
    ))
    write(cr, table, columns, arrays)
