"""Backward rules other than the gradient: layer-wise relevance propagation, guided backpropagation, patterns."""
