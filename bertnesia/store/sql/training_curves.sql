-- Every score that was noted while models and their decoders were trained.
SELECT training.model, training.run, training.layer, training.kind, training.step, training.score, training.value
FROM training
JOIN models USING (model)
WHERE models.role = 'model'
ORDER BY models.position, training.run DESC, training.kind, training.layer, training.score, training.step
