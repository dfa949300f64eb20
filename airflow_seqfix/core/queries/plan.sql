-- What a plan as SQL begins with: it belongs to one database, and takes a transaction for each sequence.
DO {quote}
BEGIN
    IF current_database() <> {database} THEN
        RAISE EXCEPTION 'this plan was made for database %, and this is %', {database}, current_database()
              USING HINT = 'Connect to that database, or make a new plan here.';
    END IF;
    IF transaction_timestamp() <> statement_timestamp() THEN
        RAISE EXCEPTION 'this plan is inside a transaction, and needs one for each sequence: no psql -1, no BEGIN';
    END IF;
END
{quote}
