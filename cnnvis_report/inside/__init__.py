"""What the layers of a network hold: filters, feature maps, projections, preferred inputs."""
