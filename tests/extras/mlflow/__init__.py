"""Reports in MLflow."""
