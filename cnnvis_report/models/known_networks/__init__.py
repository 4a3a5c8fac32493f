"""The networks of torchvision and timm by name and by their tensors."""
