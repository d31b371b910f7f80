"""The same as for deliveries: a sandbox, a linked portal, a phone system and its people."""

from tests.integration.delivery.conftest import env, running, sandbox

__all__ = ["env", "running", "sandbox"]
