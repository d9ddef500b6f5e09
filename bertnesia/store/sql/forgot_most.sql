-- Of the facts that some layer of the base has first, how many no layer of each fine-tuned model has, the greatest
-- share first.
SELECT
    models.model,
    count(*) AS right_in_base,
    count(*) FILTER (best.rank > 1) AS forgotten
FROM best AS known
JOIN best USING (kind, seed, variant, fact)
JOIN models ON models.model = best.model
WHERE known.model = $base
    AND known.rank = 1
    AND known.kind = $kind
    AND known.seed = 0
    AND known.variant = 'plain'
    AND models.role = 'model'
    AND models.model <> $base
GROUP BY models.model, models.position
ORDER BY forgotten / right_in_base DESC, models.position
