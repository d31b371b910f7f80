"""Keep things for as long as they are needed, and see that phone systems are still heard."""

from connector.maintenance.clocks import Clocks
from connector.maintenance.forgetting import Forgetting
from connector.maintenance.pruning import Pruning
from connector.maintenance.silence import Silence

__all__ = ["Clocks", "Forgetting", "Pruning", "Silence"]
