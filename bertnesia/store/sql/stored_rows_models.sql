SELECT *
FROM models
WHERE list_contains($models, model)
ORDER BY position, model
