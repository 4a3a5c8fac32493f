"""TorchScript files: looked over before anything of them runs, and turned into modules by way of ONNX."""
