-- Every rank of plain prompts and decoder seed 0 at these layers, with its fact and the layer's first prediction.
SELECT
    ranks.model,
    ranks.kind,
    ranks.layer,
    facts.probe_set,
    facts.relation,
    facts.subject,
    facts.object,
    facts.prompt,
    ranks.rank,
    ranks.filtered_rank,
    ranks.ties,
    ranks.log_probability,
    predictions.tokens[1] AS prediction
FROM ranks
JOIN facts USING (fact)
JOIN models USING (model)
LEFT JOIN predictions USING (model, kind, layer, fact)
WHERE ranks.seed = 0 AND ranks.variant = 'plain' AND list_contains($layers, ranks.layer)
ORDER BY facts.probe_set, models.position, ranks.kind, facts.relation, facts.subject, facts.object, ranks.layer
