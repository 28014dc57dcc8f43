"""The declarative base and the column types that the tables share."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import BigInteger, Dialect, Double, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

# Names of constraints are part of the schema: a migration can only drop what it can name.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite numbers rows by itself only in a column declared INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Base of the plugin's tables; its metadata holds them and no table of the host."""

    metadata = MetaData(naming_convention=NAMING)


class _AnyDouble(Double[float]):
    """A DOUBLE column of SQLite, whose driver gets values as they are: 'NaN' must stay a text."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Convert nothing."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Convert nothing."""


class MetricValue(TypeDecorator[float]):
    """A float with NaN and the infinities, equal to itself in a unique index.

    PostgreSQL treats NaN as equal to NaN and larger than every number. SQLite turns NaN into
    NULL, so there it is stored as the text 'NaN', which SQLite sorts after every number too.
    """

    impl = Double
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Keep the drivers' own conversions away from the text."""
        kind = _AnyDouble() if dialect.name == "sqlite" else Double()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: float | None, dialect: Dialect) -> Any:
        """Give the driver a float, or 'NaN' on SQLite."""
        if dialect.name == "sqlite" and value is not None and math.isnan(value):
            return "NaN"
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:
        """Give back a float whatever the database holds."""
        return None if value is None else float(value)
