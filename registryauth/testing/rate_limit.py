"""A limit on how many manifests may be fetched, as Docker Hub announces and enforces it."""

from __future__ import annotations

from collections.abc import Callable

from registryauth._http.messages import Headers, Request, Response
from registryauth.testing import answers


class RateLimit:
    """Counts in windows of time; all callers share one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._opened = 0.0
        self._used = 0

    def refusal(self, request: Request, limit: tuple[int, int]) -> Response | None:
        """Count a GET of a manifest against *limit*, how many in how many seconds; the 429 if that was one too many."""
        count, window = limit
        if self._clock() >= self._opened + window:
            self._opened, self._used = self._clock(), 0
        # HEAD is told the figures and does not count (docs.docker.com, Docker Hub usage and limits).
        self._used += request.method == "GET"
        if self._used <= count:
            return None
        retry = str(max(1, round(self._opened + window - self._clock())))
        refused = answers.error(request, 429, "TOOMANYREQUESTS", "the limit of pulls is reached", fields=[("retry-after", retry)])
        return self.announced(refused, limit)

    def announced(self, answer: Response, limit: tuple[int, int]) -> Response:
        """*answer* with the limit and what is left of it."""
        count, window = limit
        left = max(0, count - self._used)
        figures = [("ratelimit-limit", f"{count};w={window}"), ("ratelimit-remaining", f"{left};w={window}")]
        answer.headers = Headers([*answer.headers, *figures])
        return answer
