"""Files that others collected → landed Posts: CSV, JSON lines, XLSX."""
