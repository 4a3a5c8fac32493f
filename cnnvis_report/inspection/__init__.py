"""What layers hold: filters, feature maps, projections, receptive fields, activation maximization."""
