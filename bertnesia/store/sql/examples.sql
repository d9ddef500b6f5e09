-- One fact a relation that the base has right at its last layer: the one whose rank is worst in another model there.
SELECT relations.label, facts.prompt, facts.object
FROM ranks
JOIN models ON models.model = ranks.model AND models.layers = ranks.layer
JOIN facts USING (fact)
JOIN relations USING (probe_set, relation)
WHERE ranks.kind = $kind AND ranks.seed = 0 AND ranks.variant = 'plain'
GROUP BY facts.probe_set, facts.relation, relations.label, facts.fact, facts.prompt, facts.object
HAVING min(ranks.rank) FILTER (models.base IS NULL) = 1
QUALIFY row_number() OVER (
    PARTITION BY facts.probe_set, facts.relation ORDER BY max(ranks.rank) DESC, facts.fact
) = 1
ORDER BY max(ranks.rank) DESC, facts.fact
LIMIT $limit
