SELECT *
FROM query_table($table)
WHERE list_contains($models, model)
