"""Post → Mention: what a post says, about whom, how it feels and how dangerous it is."""
