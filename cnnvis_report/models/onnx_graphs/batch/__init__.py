"""Frees an ONNX graph of the number of images that it was exported for."""
