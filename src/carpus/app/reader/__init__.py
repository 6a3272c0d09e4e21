"""`carpus read` on any number of films: which, one by one in processes of their own, and what came of it."""
