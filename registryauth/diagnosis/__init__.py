"""The doctor: the chain of a pull walked link by link, and the installation checked part by part."""

from __future__ import annotations

from registryauth.diagnosis.chain import LINKS, examine
from registryauth.diagnosis.installation import CHECKS, inspect
from registryauth.diagnosis.network import Network
from registryauth.diagnosis.redaction import Blotter
from registryauth.diagnosis.step import Diagnosis, Step
from registryauth.diagnosis.surroundings import Surroundings
from registryauth.diagnosis.walk import Tools, Walk

__all__ = ["CHECKS", "LINKS", "Blotter", "Diagnosis", "Network", "Step", "Surroundings", "Tools", "Walk", "examine", "inspect"]
