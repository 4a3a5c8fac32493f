"""Summaries in Markdown, for pull requests and jobs."""
