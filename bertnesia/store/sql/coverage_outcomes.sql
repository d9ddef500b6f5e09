-- The outcomes of facts that the text mentions and of those that it does not; facts that it was not searched for are
-- left out.
SELECT
    coverage.mentions > 0 AS mentioned,
    count(*) AS facts,
    count(*) FILTER (base_rank <= $k) AS right_in_base,
    count(*) FILTER (model_rank <= $k) AS right_in_model,
    count(*) FILTER (base_rank <= $k AND model_rank <= $k) AS retained,
    count(*) FILTER (base_rank <= $k AND model_rank > $k) AS forgotten,
    count(*) FILTER (base_rank > $k AND model_rank <= $k) AS learned,
    CAST(sum(coverage.mentions) AS BIGINT) AS mentions
FROM pairs
JOIN coverage USING (fact)
WHERE coverage.corpus = $corpus
GROUP BY mentioned
ORDER BY mentioned
