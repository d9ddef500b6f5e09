-- One page of the facts that fit, those that were asked first, with the number of all that do.
SELECT
    facts.id AS fact,
    facts.probe_set,
    facts.relation,
    relations.label,
    facts.subject,
    facts.object,
    facts.prompt,
    facts.eligible,
    facts.reason,
    count(*) OVER () AS found
FROM facts
JOIN relations USING (probe_set, relation)
WHERE ($probe_set IS NULL OR facts.probe_set = $probe_set)
    AND ($relation IS NULL OR facts.relation = $relation)
    AND (
        $text = ''
        OR contains(lower(facts.subject), lower($text))
        OR contains(lower(facts.object), lower($text))
        OR contains(lower(facts.prompt), lower($text))
    )
    AND CASE $state
        WHEN 'all' THEN true
        WHEN 'not asked' THEN NOT facts.eligible
        ELSE facts.fact IN (
            SELECT ranks.fact
            FROM ranks
            JOIN models ON models.model = ranks.model AND models.layers = ranks.layer
            WHERE ranks.model = $model
                AND ranks.kind = $kind
                AND ranks.seed = 0
                AND ranks.variant = 'plain'
                AND (ranks.rank = 1) = ($state = 'right')
        )
    END
ORDER BY facts.eligible DESC, facts.probe_set, relations.label, facts.subject, facts.object, facts.fact
LIMIT $size OFFSET $skipped
