"""Charts as SVG: they need no script, print as they are seen, and take their colors from the page's style sheet."""
