-- Everything that was asked: models of every role, decoder kinds and seeds, prompt variants.
SELECT
    asked.model,
    models.role,
    models.variant_of,
    asked.kind,
    CAST(asked.seed AS INTEGER) AS seed,
    asked.variant,
    asked.probe_set,
    asked.facts,
    asked.layers
FROM asked
JOIN models USING (model)
ORDER BY
    models.position,
    asked.model,
    asked.kind = 'trained' DESC,
    asked.kind,
    asked.seed,
    asked.variant,
    asked.probe_set
