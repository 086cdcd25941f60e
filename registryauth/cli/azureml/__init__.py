"""``registryauth azureml``: what Azure Machine Learning's own files ask for."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {"check": "azureml.check"}
app = group("Look at Azure Machine Learning's deployment files.", _VERBS)
