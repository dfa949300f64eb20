-- margin=100 on an empty table: nothing to keep away from.
CREATE TABLE items (id serial PRIMARY KEY, note text);
