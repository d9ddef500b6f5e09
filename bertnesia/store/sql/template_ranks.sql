-- Ranks of one probe set by template: the plain one and the relations' paraphrases.
SELECT
    ranks.model,
    ranks.kind,
    ranks.layer,
    facts.probe_set,
    facts.relation,
    ranks.fact,
    ranks.variant,
    ranks.rank
FROM ranks
JOIN facts USING (fact)
WHERE
    facts.probe_set = $probe_set
    AND ranks.model IN (SELECT unnest($models))
    AND ranks.kind = $kind
    AND ranks.seed = 0
    AND (ranks.variant = 'plain' OR ranks.variant LIKE 'paraphrase%')
ORDER BY ranks.model, facts.relation, ranks.fact, ranks.variant, ranks.layer
