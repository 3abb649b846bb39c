"""Structured logs: one JSON object a line on standard error. Bodies, names and numbers never go in."""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import orjson
import structlog

REQUEST_ID: ContextVar[str] = ContextVar("request_id")


def set_up(level: int = logging.INFO) -> None:
    structlog.configure(
        processors=[
            with_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


def with_request_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    request_id = REQUEST_ID.get(None)
    return event if request_id is None else {**event, "request_id": request_id}
