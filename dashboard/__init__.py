"""What people see: the pages, their charts and words, and the command line."""
