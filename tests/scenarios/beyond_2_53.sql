-- Ids that a double cannot tell apart, moved under a lock.
CREATE TABLE posts (id bigserial PRIMARY KEY, note text);
INSERT INTO posts (id) SELECT generate_series(9007199254740990, 9007199254740993);
SELECT setval('posts_id_seq', 9007199254740992);
