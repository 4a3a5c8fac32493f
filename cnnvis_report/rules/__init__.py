"""Rules on the numbers of a run or a comparison, such as "accuracy<0.9": read, checked and judged."""
