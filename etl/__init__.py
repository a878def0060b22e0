"""From departmental files to the warehouse, and on to the open-data portal."""
