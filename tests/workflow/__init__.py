"""The workflow database on both dialects, its migrations, and the move between them."""
