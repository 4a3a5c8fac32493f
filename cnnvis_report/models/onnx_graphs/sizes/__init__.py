"""What an ONNX graph computes of sizes, and what it moves entries for: as constants and numbers, or not at all."""
