SELECT kind, seed, layer, hash
FROM decoders
WHERE model = $model
ORDER BY kind, seed, layer
