"""ONNX graphs, and what goes by way of them."""
