"""Requests, responses, and the only place that opens a connection."""

from __future__ import annotations

from registryauth._http.messages import MAX_ERROR_BODY, Headers, Request, Response

__all__ = ["MAX_ERROR_BODY", "Headers", "Request", "Response"]
