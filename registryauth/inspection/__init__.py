"""Read an image's facts without running or pulling it, and hold them to requirement profiles.

report = check(client.repository("myregistry.azurecr.io/base"), "v1", profile_named("azureml-2021"))
report.raise_unless_met()
"""

from __future__ import annotations

from registryauth.inspection.checking import check, survey
from registryauth.inspection.profile import BUILT_IN, Profile, profile_named
from registryauth.inspection.report import Evidence, Finding, LayerRead, Report

__all__ = ["BUILT_IN", "Evidence", "Finding", "LayerRead", "Profile", "Report", "check", "profile_named", "survey"]
