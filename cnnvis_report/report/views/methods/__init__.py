"""The methods page, and what other pages say of methods."""
