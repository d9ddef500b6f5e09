SELECT *
FROM decoders
WHERE list_contains($models, model)
