"""Tables of accounts. They are read before any scope is known, so row-level security leaves them out by name."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.core.clock import FOREVER
from backend.core.tables import (
    CountyRow,
    bytes_column,
    code_column,
    moment_column,
    text_column,
    within_county,
)
from shared.auth import Role


class Account(CountyRow, table=True):
    """Somebody, or another system, that can sign in."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("county_code", "username", name="account_username"),)

    username: str = text_column(nullable=False)
    display_name: str = text_column(nullable=False)
    password_hash: str | None = text_column()
    volunteer_id: UUID | None
    active: bool = Field(default=True, nullable=False)
    created_at: datetime = moment_column(nullable=False)


class Grant(CountyRow, table=True):
    """A role in an area for a time; an account may hold several (stand-ins, two cells)."""

    __tablename__ = "role_grant"
    __table_args__ = (
        within_county("account_id", "account"),
        Index("role_grant_account", "county_code", "account_id"),
        CheckConstraint(f"role IN ({', '.join(repr(r.value) for r in Role)})", name="role_grant_role"),
    )

    account_id: UUID = Field(nullable=False)
    role: str = text_column(nullable=False)
    area_code: str = code_column(nullable=False)
    from_day: date = Field(nullable=False)
    until_day: date = Field(default=FOREVER, nullable=False)


class ApiKey(CountyRow, table=True):
    """Key of a partner system. The key has 256 random bits, so a plain hash is enough and cheap to check."""

    __tablename__ = "api_key"
    __table_args__ = (within_county("account_id", "account"), UniqueConstraint("county_code", "key_hash"))

    account_id: UUID = Field(nullable=False)
    name: str = text_column(nullable=False)
    area_code: str = code_column(nullable=False)
    key_hash: bytes = bytes_column(nullable=False)
    created_at: datetime = moment_column(nullable=False)
    revoked_at: datetime | None = moment_column(default=None, nullable=True)


class RefreshToken(CountyRow, table=True):
    """One link of a chain of refresh tokens; using an old link ends the whole family."""

    __tablename__ = "refresh_token"
    __table_args__ = (
        within_county("account_id", "account"),
        UniqueConstraint("county_code", "token_hash"),
        Index("refresh_token_family", "county_code", "family_id"),
        Index("refresh_token_hash", "token_hash"),  # a token does not say which county it is of
    )

    account_id: UUID = Field(nullable=False)
    family_id: UUID = Field(nullable=False)
    token_hash: bytes = bytes_column(nullable=False)
    made_at: datetime = moment_column(nullable=False)
    expires_at: datetime = moment_column(nullable=False)
    used_at: datetime | None = moment_column(default=None, nullable=True)
    ended_at: datetime | None = moment_column(default=None, nullable=True)
    device_id: UUID | None


class LoginCounter(SQLModel, table=True):
    """Failed attempts per account and address, for the growing delay."""

    __tablename__ = "login_counter"

    key: str = text_column(primary_key=True)
    failures: int = Field(default=0, nullable=False)
    blocked_until: datetime | None = moment_column(default=None, nullable=True)
    last_at: datetime = moment_column(nullable=False)


class Device(CountyRow, table=True):
    """A phone. `settled_seq` is kept for ever: it tells a phone that a backup was restored."""

    __tablename__ = "device"

    name: str = text_column(nullable=False)
    settled_seq: int = Field(default=0, sa_type=BigInteger, nullable=False)
    registered_at: datetime = moment_column(nullable=False)
    revoked_at: datetime | None = moment_column(default=None, nullable=True)


class DeviceLogin(SQLModel, table=True):
    """Which accounts have signed in on a phone: only they can be authors of what it sends."""

    __tablename__ = "device_login"
    __table_args__ = (within_county("device_id", "device"), within_county("account_id", "account"))

    county_code: str = code_column(primary_key=True)
    device_id: UUID = Field(primary_key=True)
    account_id: UUID = Field(primary_key=True)
    at: datetime = moment_column(nullable=False)
