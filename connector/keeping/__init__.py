"""Keep things for as long as they are needed, and see that phone systems are still heard."""

from connector.keeping.clocks import Clocks
from connector.keeping.forgetting import Forgetting
from connector.keeping.pruning import Pruning
from connector.keeping.silence import Silence

__all__ = ["Clocks", "Forgetting", "Pruning", "Silence"]
