SELECT * EXCLUDE (others_before)
FROM ranks
WHERE list_contains($models, model)
