"""What ran in a forward pass: operations, layer calls, and what can be told from them of the network."""
