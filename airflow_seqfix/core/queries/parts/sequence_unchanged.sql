EXISTS (SELECT FROM pg_sequence q
             WHERE q.seqrelid = {oid} AND q.seqincrement = {increment_by} AND q.seqcache = {cache_size} AND NOT q.seqcycle
               AND q.seqmin = {min_value} AND q.seqmax = {max_value})
