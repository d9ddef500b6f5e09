SELECT *
FROM training
WHERE list_contains($models, model)
