"""From a subject and images to maps, and to a run folder."""
