"""Every page and address of the connector; views are glue."""
