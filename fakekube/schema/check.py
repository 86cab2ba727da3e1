def check_schema(s,p): return []
