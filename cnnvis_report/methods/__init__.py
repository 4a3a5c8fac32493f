"""Attribution methods: one, or one close family, a file."""
