"""What an admin wants to see of all principals at once: data from the records, and a page made of nothing but that data."""

from __future__ import annotations

from registryauth.report.document import document
from registryauth.report.page import page

__all__ = ["document", "page"]
