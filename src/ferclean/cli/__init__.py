"""The command line: one sub-command a workflow step, and the verbs for people."""
