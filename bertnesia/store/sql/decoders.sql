SELECT decoders.*
FROM decoders
JOIN models USING (model)
ORDER BY models.position, decoders.kind, decoders.layer
