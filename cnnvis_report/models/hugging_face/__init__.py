"""Networks of Hugging Face's transformers: folders with config.json, weights and the settings of an image processor."""
