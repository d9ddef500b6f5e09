SELECT *
FROM predictions
WHERE list_contains($models, model)
