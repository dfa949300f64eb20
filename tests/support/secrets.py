"""A secret, and where people paste it."""

from __future__ import annotations

SECRET = "s3cr3t/word"

#: The ways in which people paste one.
PASTED = [
    "postgresql://ada:{}@db/shop",
    "postgresql+psycopg2://ada:{}@db:5432/shop?sslmode=require",
    "ada:{}@db",
    "password={} host=db",
    "host=db password='{}'",
    "db?password={}",
    '{{"password": "{}"}}',
    "postgresql://ada@db/shop?sslpassword={}",
]
