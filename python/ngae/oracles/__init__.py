"""Who answers a query: a table, shared weights, training from scratch."""
