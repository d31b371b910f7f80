"""Whatever can be set is set by page, by command and by program: the same effect, refusals and audit."""
