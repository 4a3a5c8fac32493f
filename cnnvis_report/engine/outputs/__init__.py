"""What the outputs of a network mean: logits, probabilities, and the activations that end it."""
