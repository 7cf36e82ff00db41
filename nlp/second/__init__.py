"""Second stage: a small transformer, fine-tuned by this project on several tasks at once."""
