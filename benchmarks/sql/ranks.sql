-- Ranks of one model in one reading: later layers know more, each model loses some of it again at the last ones.
SELECT
    $model AS model,
    $kind AS kind,
    CAST($seed AS UTINYINT) AS seed,
    $variant AS variant,
    CAST(layer AS UTINYINT) AS layer,
    fact,
    CAST(
        least(
            30000,
            greatest(
                1,
                exp(
                    9
                    - 6 * layer / $layers
                    + 3 * (hash(fact) % 1000 / 500.0 - 1)
                    + (hash(fact + layer * 1009 + $salt * 7919) % 1000 / 500.0 - 1)
                    + $salt % 7 * 0.2 * layer / $layers
                )
            )
        ) AS INTEGER
    ) AS rank,
    greatest(1, rank - CAST(hash(fact + layer) % 2 AS INTEGER)) AS filtered_rank,
    CAST(hash(fact + layer * 31 + $salt) % 50 = 0 AS INTEGER) AS ties,
    CAST(-ln(rank) - 0.7 AS FLOAT) AS log_probability
FROM facts
CROSS JOIN range(1, $layers + 1) AS layers (layer)
WHERE eligible
