"""ONNX graphs: read within limits, put into the forms that converters take, and converted to modules."""
