"""Programs of torch.export: looked over before anything of them is read as code, and given their modules back."""
