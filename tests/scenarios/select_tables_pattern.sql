-- Tables are selected by a pattern.
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id serial PRIMARY KEY, note text);
CREATE TABLE shop.order_lines (id serial PRIMARY KEY, number serial UNIQUE, note text);
CREATE TABLE public.orders (id serial PRIMARY KEY, note text);
INSERT INTO shop.orders (id) SELECT generate_series(1, 100);
INSERT INTO shop.order_lines (id, number) SELECT n, n FROM generate_series(1, 100) AS n;
INSERT INTO public.orders (id) SELECT generate_series(1, 100);
