SELECT ranks.* EXCLUDE (others_before) REPLACE (facts.id AS fact)
FROM ranks
JOIN facts USING (fact)
WHERE list_contains($models, ranks.model)
