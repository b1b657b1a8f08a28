"""Where changes are told: the journal of this host first, then an SNS topic."""
