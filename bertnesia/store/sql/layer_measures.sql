-- precision and mrr with standard errors. Over relations: the mean of the relations' values; its error is that of facts
-- drawn within fixed relations, with the posterior variance of a share under a uniform prior, which is not 0 at 0 or 1.
, variances AS (
    SELECT
        *,
        correct / facts AS precision,
        (correct + 1) * (facts - correct + 1) / ((facts + 2) ** 2 * (facts + 3)) AS precision_variance,
        reciprocal_ranks / facts AS mrr,
        greatest(0, squared_reciprocal_ranks / facts - (reciprocal_ranks / facts) ** 2)
        / greatest(facts - 1, 1) AS mrr_variance
    FROM counted
)

SELECT
    model,
    layer,
    CAST(sum(facts) AS BIGINT) AS facts,
    CAST((SELECT sum(facts) FROM scope) - sum(facts) AS BIGINT) AS left_out,
    count(*) AS relations,
    CAST(sum(correct) AS BIGINT) AS correct,
    CASE WHEN $average = 'macro' THEN avg(precision) ELSE sum(correct) / sum(facts) END AS precision,
    CASE
        WHEN $average = 'macro' THEN sqrt(sum(precision_variance)) / count(*)
        ELSE sqrt((sum(correct) + 1) * (sum(facts) - sum(correct) + 1) / ((sum(facts) + 2) ** 2 * (sum(facts) + 3)))
    END AS precision_error,
    CASE WHEN $average = 'macro' THEN avg(mrr) ELSE sum(reciprocal_ranks) / sum(facts) END AS mrr,
    CASE
        WHEN $average = 'macro' THEN sqrt(sum(mrr_variance)) / count(*)
        ELSE sqrt(
            greatest(0, sum(squared_reciprocal_ranks) / sum(facts) - (sum(reciprocal_ranks) / sum(facts)) ** 2)
            / greatest(sum(facts) - 1, 1)
        )
    END AS mrr_error
FROM variances
GROUP BY model, layer
ORDER BY model, layer
