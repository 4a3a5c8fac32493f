"""What changed between runs of the same images: records to a record, without torch."""
