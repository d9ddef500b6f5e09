-- Facts of $relations relations in one probe set; every tenth cannot be asked. Numbers are digests, as those of real facts.
SELECT
    CAST(hash(number) >> 12 AS BIGINT) AS fact,
    'big' AS probe_set,
    'P' || (number % $relations) AS relation,
    'subject ' || number AS subject,
    'object ' || (hash(number * 7) % 150) AS object,
    'subject ' || number || ' belongs to [MASK] .' AS prompt,
    number % 10 <> 9 AS eligible,
    CASE WHEN number % 10 = 9 THEN 'the object is not one token' ELSE '' END AS reason
FROM range($facts) AS numbers (number)
